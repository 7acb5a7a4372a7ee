"""Where columns of ratings are kept: in memory, or in files that are mapped into it."""

from __future__ import annotations

import dataclasses
import mmap
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from training.data.table import RatingsTable

Allocate = Callable[[int, Any], NDArray[Any]]
"""Of a length and a type, makes an array with arbitrary values."""


def in_memory(length: int, dtype: Any) -> NDArray[Any]:
    """Make a column in memory."""
    return np.empty(length, dtype)


class MappedColumns:
    """Makes columns in files of a directory, mapped into memory.

    The kernel keeps of them what it has room for, and writes the rest back. The files have no names, so that
    they are gone with the process, however it ends. The directory must not be in memory itself (tmpfs).

    Args:
        directory: Where; it exists.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, length: int, dtype: Any) -> NDArray[Any]:
        """Make a column; its values are 0.

        Raises:
            OSError: The disk is full.
        """
        num_bytes = length * np.dtype(dtype).itemsize
        if not num_bytes:
            return np.empty(0, dtype)
        with tempfile.TemporaryFile(dir=self._directory) as file:
            # Now, for a full disk is a signal, not an error, once the file is mapped.
            os.posix_fallocate(file.fileno(), 0, num_bytes)
            mapping = mmap.mmap(file.fileno(), num_bytes)
        return np.frombuffer(mapping, dtype)


def kept_in(table: RatingsTable, allocate: Allocate) -> RatingsTable:
    """The table with its columns, and all that are made of them, in other storage."""
    columns: dict[str, Any] = {}
    for name in ("user_rows", "movie_rows", "stars", "weights", "timestamps"):
        values = getattr(table, name)
        columns[name] = allocate(len(values), values.dtype)
        columns[name][:] = values
    return dataclasses.replace(table, **columns, allocate=allocate)
