"""Load MovieLens with TensorFlow Datasets; the only module that imports it."""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import requests
import tensorflow_datasets as tfds
from absl import logging as absl_logging
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.download.util import DownloadError
from tensorflow_datasets.structured.movielens import Movielens

from training.data.downloads import downloads_with_timeout
from training.data.prepared import read_prepared
from training.data.table import RatingsTable
from training.errors import DataError, SourceError, TrainingError

DATASETS = ("100k", "1m", "latest-small", "20m", "25m")
# These take minutes to download and prepare, so the progress bars of tfds are shown.
_LARGE_DATASETS = ("20m", "25m")
_TABLES = ("ratings", "movies")


class MovielensDirectory(Movielens):
    """tfds builder of MovieLens that reads local GroupLens files.

    Args:
        raw: Directory of the files; None to read data prepared before.
    """

    def __init__(self, *, raw: Path | None = None, **options: Any) -> None:
        self._raw = raw
        super().__init__(**options)

    def _split_generators(self, dl_manager: Any) -> list[Any]:  # noqa: ARG002 - nothing is downloaded
        return [tfds.core.SplitGenerator(name="train", gen_kwargs={"dir_path": str(self._raw)})]


def is_prepared(dataset: str) -> bool:
    """Whether tfds has already prepared both tables of a MovieLens version.

    Args:
        dataset: One of `DATASETS`.
    """
    with _quiet_tfds(), _tfds_failures(dataset):
        return all(tfds.builder(name, data_dir=_data_dir()).is_prepared() for name in _names(dataset))


def load_movielens(dataset: str, *, timeout_seconds: float = 5.0) -> RatingsTable:
    """Load a MovieLens version with `tfds.load`, which downloads and prepares it first if necessary.

    Args:
        dataset: One of `DATASETS`.
        timeout_seconds: Longest time without progress of a download.

    Returns:
        The table, with rows in the order of tfds.

    Raises:
        DataError: The download has a wrong checksum, or the prepared data cannot be read.
        SourceError: The download or its preparation failed.
    """
    how = "prepared before" if is_prepared(dataset) else "downloaded"
    with (
        _quiet_tfds(show_progress=dataset in _LARGE_DATASETS),
        _tfds_failures(dataset),
        _no_leftovers(dataset),
        downloads_with_timeout(timeout_seconds),
    ):
        (_, ratings), (movies, _) = (
            tfds.load(name, split="train", data_dir=_data_dir(), with_info=True) for name in _names(dataset)
        )
        return read_prepared(ratings, movies, source=f"tfds movielens/{dataset}, {how}")


def prepare_directory(raw: Path, dataset: str, data_dir: Path) -> None:
    """Prepare local GroupLens files with the tfds builder, which gives rows the published order.

    Args:
        raw: Directory of the files.
        dataset: Their MovieLens version, one of `DATASETS`.
        data_dir: Output directory.

    Raises:
        SourceError: `data_dir` cannot be written.
    """
    with _quiet_tfds(), _tfds_failures(dataset):
        for table in _TABLES:
            builder = MovielensDirectory(raw=raw, config=f"{dataset}-{table}", data_dir=data_dir)
            builder.download_and_prepare()


def load_directory(dataset: str, data_dir: Path, source: str) -> RatingsTable:
    """Load data prepared by `prepare_directory`.

    Args:
        dataset: The MovieLens version, one of `DATASETS`.
        data_dir: Its output directory.
        source: Description of where the files came from.

    Raises:
        DataError: The data cannot be read.
    """
    with _quiet_tfds(), _tfds_failures(dataset):
        ratings, movies = (
            MovielensDirectory(config=f"{dataset}-{table}", data_dir=data_dir) for table in _TABLES
        )
        return read_prepared(ratings.info, movies.as_dataset(split="train"), source=source)


def _names(dataset: str) -> list[str]:
    return [f"movielens/{dataset}-{table}" for table in _TABLES]


def _data_dir() -> str | None:
    # tfds reads the variable only when it is imported.
    return os.environ.get("TFDS_DATA_DIR") or None


@contextmanager
def _quiet_tfds(*, show_progress: bool = False) -> Iterator[None]:
    """Suppress what tfds prints, and warnings about its own code; progress bars, if any, are on stderr."""
    verbosity = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.ERROR)
    tfds.display_progress_bar(show_progress)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        absl_logging.set_verbosity(verbosity)
        tfds.display_progress_bar(True)


@contextmanager
def _tfds_failures(dataset: str) -> Iterator[None]:
    """Convert exceptions of tfds and of its dependencies to `DataError` and `SourceError`."""
    try:
        yield
    except TrainingError:
        raise
    except NonMatchingChecksumError as error:
        expected, got = re.findall(r"checksum='(\w+)'", str(error))
        reason = f"wrong checksum: expected sha256 {expected}, got {got}"
        fix = "try again, or give a copy with --data PATH"
        raise DataError(f"ml-{dataset}.zip: {reason}; {fix}") from None
    except (requests.RequestException, DownloadError) as error:
        reason = f"the download failed: {_in_short(error)}; try again, or give a copy with --data PATH"
        raise SourceError(f"movielens/{dataset}: {reason}") from None
    except Exception as error:  # noqa: BLE001 - many libraries raise here
        reason = f"tfds failed: {type(error).__name__}: {_in_short(error)}; give a copy with --data PATH"
        raise SourceError(f"movielens/{dataset}: {reason}") from None


def _in_short(error: Exception) -> str:
    """Return the innermost reason, in one line and without the connection object's name."""
    inner = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    text = " ".join(str(getattr(inner, "reason", inner)).split()) or type(inner).__name__
    return re.sub(r"^HTTPS?Connection\w*\([^)]*\): ", "", text)[:300].rstrip(".")


@contextmanager
def _no_leftovers(dataset: str) -> Iterator[None]:
    """Remove the incomplete files of a failed download."""
    builder = tfds.builder(_names(dataset)[0], data_dir=_data_dir())
    downloads = Path(builder.data_dir_root).expanduser() / "downloads"
    before = set(downloads.glob("*/*.tmp.*"))
    try:
        yield
    except BaseException:
        for leftover in set(downloads.glob("*/*.tmp.*")) - before:
            shutil.rmtree(leftover, ignore_errors=True)
        raise
