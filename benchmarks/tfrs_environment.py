"""An environment of its own for TFRS 0.7.7, and what its tutorial reads."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

from training.data.table import RatingsTable

_PINS = Path(__file__).parent.parent / "requirements" / "tfrs.txt"


def tfrs_python() -> Path:
    """Return the interpreter of TFRS's environment, which is created if missing: about 2 GB, in a cache."""
    environment = _cache() / "matinee" / "tfrs-0.7.7"
    python, finished = environment / "bin" / "python", environment / "finished"
    if not finished.exists() or finished.read_text(encoding="utf-8") != _PINS.read_text(encoding="utf-8"):
        sys.stderr.write("Installing TFRS into an environment of its own ...\n")
        venv.create(environment, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", _PINS], check=True)  # noqa: S603  # ours
        finished.write_text(_PINS.read_text(encoding="utf-8"), encoding="utf-8")
    return python


def write_rows(file: Path, table: RatingsTable) -> None:
    """Write vocabularies, all titles and times, and the path of the prepared ratings, for TFRS."""
    np.savez(
        file,
        prepared=str(_prepared_ratings()),
        all_user_ids=np.array(table.user_ids),
        all_titles=np.unique(table.movies.titles),
        all_timestamps=table.timestamps,
        movies=np.array(table.movies.titles),
    )


def _prepared_ratings() -> Path:
    """Find the MovieLens 100K prepared by TensorFlow Datasets, which the tutorial reads."""
    places = [
        *_cache().glob("matinee/movielens-100k-*/movielens_directory/100k-ratings/*/dataset_info.json"),
        *Path.home().glob("tensorflow_datasets/movielens/100k-ratings/*/dataset_info.json"),
    ]
    if not places:
        sys.exit("expected MovieLens 100K prepared by TensorFlow Datasets, got none; run `make fit` once")
    return places[0].parent


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
