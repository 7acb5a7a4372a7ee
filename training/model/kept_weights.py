"""Keep weights while others are tried in their place: small ones in memory, large ones on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

import keras
import numpy as np
from numpy.typing import NDArray

_ON_DISK_FROM_BYTES = 2**26
"""Copies of a million movies' tables would be most of a gigabyte beside weights and moments."""


@contextmanager
def kept(weights: Iterable[keras.Variable]) -> Iterator[None]:
    """Restore weights, bit for bit, when the context ends.

    Raises:
        OSError: The disk of temporary files is full.
    """
    with ExitStack() as files:
        copies = [(weight, _copy(weight, files)) for weight in weights]
        try:
            yield
        finally:
            for weight, copy in copies:
                weight.assign(copy if isinstance(copy, np.ndarray) else _read(copy, weight))


def _copy(weight: keras.Variable, files: ExitStack) -> NDArray[np.float32] | IO[bytes]:
    values: NDArray[np.float32] = np.asarray(weight.numpy())
    if values.nbytes < _ON_DISK_FROM_BYTES:
        return values
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # they do
    values.tofile(file)
    return file


def _read(file: IO[bytes], weight: keras.Variable) -> NDArray[np.float32]:
    file.seek(0)
    return np.frombuffer(file.read(), np.float32).reshape(weight.shape)
