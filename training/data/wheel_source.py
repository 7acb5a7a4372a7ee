"""Load MovieLens 100K from the copy in a PyPI wheel, as a fallback if GroupLens's host is unreachable.

The wheel has titles and years in separate columns. Its rows have the original order, so that the tfds builder
gives the rebuilt GroupLens files the published order.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from training.data import tfds_source
from training.data.delimited_text import DelimitedText
from training.data.dialect import Dialect
from training.data.layouts import FLAGGED_GENRES
from training.data.problems import Problems
from training.data.table import RatingsTable
from training.errors import SourceError

_DISTRIBUTION = "recbole"
_VERSION = "1.2.1"
_DATASET = "100k"
_SOURCE = f"the copy in the PyPI wheel {_DISTRIBUTION} {_VERSION}, read by the tfds builder"


def is_prepared(cache_dir: Path) -> bool:
    """Whether the wheel's copy has already been prepared.

    Args:
        cache_dir: The directory given to `load_wheel`.
    """
    return _prepared_dir(cache_dir).is_dir()


def load_wheel(cache_dir: Path) -> RatingsTable:
    """Load MovieLens 100K from the wheel, in the published order; prepare it the first time.

    Args:
        cache_dir: Directory of the prepared data.

    Raises:
        SourceError: The wheel is not installed, or `cache_dir` cannot be written.
    """
    if not is_prepared(cache_dir):
        _prepare(cache_dir)
    return tfds_source.load_directory(_DATASET, _prepared_dir(cache_dir), _SOURCE)


def _prepared_dir(cache_dir: Path) -> Path:
    return cache_dir / f"movielens-{_DATASET}-{_DISTRIBUTION}-{_VERSION}"


def _prepare(cache_dir: Path) -> None:
    files = _wheel_files()
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="incomplete-", dir=cache_dir) as temporary:
            raw, prepared = Path(temporary, "raw"), Path(temporary, "prepared")
            raw.mkdir()
            rebuild_grouplens_files(files, raw)
            tfds_source.prepare_directory(raw, _DATASET, prepared)
            try:
                prepared.rename(_prepared_dir(cache_dir))
            except OSError:
                if not is_prepared(cache_dir):  # unless another process was first
                    raise
    except OSError as error:
        reason = f"cannot write the prepared data: {error.strerror or error}; set XDG_CACHE_HOME elsewhere"
        raise SourceError(f"{error.filename or cache_dir}: {reason}") from None


def _wheel_files() -> Path:
    try:
        wheel = metadata.distribution(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        wheel = None
    if wheel is None or wheel.version != _VERSION:
        found = f"{_DISTRIBUTION} {wheel.version}" if wheel else "none"
        reason = f"expected the PyPI wheel {_DISTRIBUTION} {_VERSION}, got {found}"
        fix = "install it with: pip install --no-deps -r requirements/dataset.txt"
        raise SourceError(f"movielens/{_DATASET}: {reason}; {fix}")
    return Path(str(wheel.locate_file("recbole/dataset_example/ml-100k")))


def rebuild_grouplens_files(files: Path, raw: Path) -> None:
    """Write `u.data`, `u.item` and `u.user` as GroupLens published them, as far as the builder reads them.

    Args:
        files: The wheel's directory `ml-100k`.
        raw: Output directory.

    Raises:
        OSError: A file cannot be read or written.
    """
    ratings = _columns(
        files / "ml-100k.inter", "user_id:token", "item_id:token", "rating:float", "timestamp:float"
    )
    _write_rows(raw / "u.data", "\t", zip(*ratings, strict=True))
    users = _columns(
        files / "ml-100k.user",
        *("user_id:token", "age:token", "gender:token", "occupation:token", "zip_code:token"),
    )
    _write_rows(raw / "u.user", "|", zip(*users, strict=True))
    movies = _columns(
        files / "ml-100k.item",
        "item_id:token",
        "movie_title:token_seq",
        "release_year:token",
        "class:token_seq",
    )
    _write_rows(raw / "u.item", "|", (_item(*movie) for movie in zip(*movies, strict=True)))


def _item(movie_id: str, title: str, year: str, genres: str) -> list[str]:
    # One movie was listed as 'unknown', without a year. Another, 'Land Before Time III (1995) (V)', had its
    # last parenthesis taken for its year; appending it restores the title.
    full_title = "unknown" if title == "unkonwn" else f"{title} ({year})"
    names = genres.replace("unkonwn", "unknown").split(" ")
    return [movie_id, full_title, "", "", "", *("1" if genre in names else "0" for genre in FLAGGED_GENRES)]


def _columns(file: Path, *columns: str) -> list[list[str]]:
    text = DelimitedText(str(file), file.read_bytes(), Dialect("\t", has_header=True), "UTF-8")
    problems = Problems()
    read = text.read(columns, problems)
    problems.refuse()
    return [read[column].texts() for column in columns]


def _write_rows(file: Path, separator: str, rows: Iterable[Iterable[str]]) -> None:
    file.write_text("".join(separator.join(row) + "\n" for row in rows), encoding="latin-1")
