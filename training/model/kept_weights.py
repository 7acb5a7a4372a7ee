"""Keep weights while others are tried in their place: small ones in memory, large ones on disk."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TypeAlias

import keras
import numpy as np
from numpy.typing import NDArray

from training.model.row_blocks import assign_rows, read_rows, row_blocks

_Copy: TypeAlias = "NDArray[np.float32] | IO[bytes]"

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
                _restore(weight, copy)


def _copy(weight: keras.Variable, files: ExitStack) -> _Copy:
    if 4 * math.prod(weight.shape) < _ON_DISK_FROM_BYTES:
        values: NDArray[np.float32] = np.asarray(weight.numpy())
        return values
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115  # they do
    for block in row_blocks(weight.shape[0]):
        read_rows(weight, block).numpy().tofile(file)
    return file


def _restore(weight: keras.Variable, copy: _Copy) -> None:
    if isinstance(copy, np.ndarray):
        weight.assign(copy)
        return
    copy.seek(0)
    for block in row_blocks(weight.shape[0]):
        shape = block.stop - block.start, *weight.shape[1:]
        values = np.frombuffer(copy.read(4 * math.prod(shape)), np.float32)
        assign_rows(weight, block, values.reshape(shape))
