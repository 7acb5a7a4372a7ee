import keras
import numpy as np
import pytest
import tensorflow as tf

from training.model import row_blocks
from training.model.row_blocks import assign_rows, scale_rows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_blocks, "ROWS_AT_ONCE", 3)


@pytest.mark.parametrize("rows", [0, 1, 3, 7])
def test_blocks_have_each_row_once_in_order(rows: int) -> None:
    blocks = list(row_blocks.row_blocks(rows))
    assert [row for block in blocks for row in range(block.start, block.stop)] == list(range(rows))
    assert len(blocks) == max(1, -(-rows // 3))
    assert all(block.stop - block.start <= 3 for block in blocks)


@pytest.mark.parametrize("shape", [(7,), (7, 2), (6, 2), (0, 2)])
def test_tables_are_scaled_as_a_whole(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).random(shape, np.float32)
    table = keras.Variable(values)
    scale_rows(table, 0.3)
    np.testing.assert_array_equal(table.numpy(), np.float32(0.3) * values)


def test_a_block_of_rows_is_replaced() -> None:
    table = keras.Variable(np.zeros((5, 2), np.float32))
    assign_rows(table, slice(1, 3), tf.ones((2, 2)))
    np.testing.assert_array_equal(table.numpy(), [[0, 0], [1, 1], [1, 1], [0, 0], [0, 0]])
