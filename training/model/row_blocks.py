"""Work on large tables by blocks of rows: a copy of a million movies' table is a quarter of a gigabyte."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import tensorflow as tf

ROWS_AT_ONCE = 65_536


def row_blocks(rows: int) -> Iterator[slice]:
    """Divide so many rows into blocks; none gives one empty block."""
    for start in range(0, max(1, rows), ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, rows))


def scale_rows(table: keras.Variable, share: float) -> None:
    """Multiply a table, float32 `[rows, ...]`, in place."""
    for block in row_blocks(table.shape[0]):
        assign_rows(table, block, share * read_rows(table, block))


def read_rows(table: keras.Variable, block: slice) -> tf.Tensor:
    """Read a block of rows of a table, `[rows, ...]`.

    By a gather: a slice of a variable whose rows have been assigned copies the whole of it first.
    """
    return tf.gather(table.value, tf.range(block.start, block.stop))


def assign_rows(table: keras.Variable, block: slice, values: tf.Tensor) -> None:
    """Replace a block of rows of a table, `[rows, ...]`, in place."""
    rows = tf.range(block.start, block.stop)
    table.value.scatter_update(tf.IndexedSlices(tf.convert_to_tensor(values), rows))
