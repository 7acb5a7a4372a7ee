import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from training.model.optimizer import TableAdamW

ROWS, WIDTH, RATE, DECAY = 12, 3, 0.05, 0.4
DENSE, LAZY = 1_000, 1

Array = NDArray[np.float64]


class ReferenceAdamW:
    """AdamW as in Loshchilov and Hutter 2019, algorithm 2, on whole tables, in numpy."""

    def __init__(self, weights: Array, rate: float = RATE, decay: float = DECAY) -> None:
        self.weights, self._rate, self._decay = weights.copy(), rate, decay
        self._first, self._second, self._step = np.zeros_like(weights), np.zeros_like(weights), 0

    def apply(self, gradient: Array) -> None:
        self._step += 1
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.999 * self._second + 0.001 * gradient**2
        first, second = self._first / (1 - 0.9**self._step), self._second / (1 - 0.999**self._step)
        self.weights -= self._rate * self._decay * self.weights
        self.weights -= self._rate * first / (np.sqrt(second) + 1e-7)


def a_table(lazy_from: int, weights: Array, rate: float = RATE) -> tuple[keras.Variable, TableAdamW]:
    table = keras.Variable(weights.astype(np.float32))
    optimizer = TableAdamW(rate, weight_decay=DECAY, lazy_from=lazy_from)
    optimizer.build([table])
    return table, optimizer


def slices(rows: list[int], values: Array) -> tf.IndexedSlices:
    return tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows), tf.constant([ROWS, WIDTH]))


@pytest.mark.parametrize("lazy_from", [DENSE, LAZY])
def test_a_row_that_occurs_twice_moves_by_the_sum_of_its_gradients(lazy_from: int) -> None:
    table, optimizer = a_table(lazy_from, np.zeros((ROWS, WIDTH)))
    optimizer.apply([slices([4, 4], np.ones((2, WIDTH)))], [table])
    moved = np.zeros((ROWS, WIDTH))
    moved[4] = -RATE  # Adam's first step is the rate, whatever the gradient's size
    np.testing.assert_allclose(table.numpy(), moved, atol=1e-5)


def test_keras_own_adamw_moves_such_a_row_too_far() -> None:
    # The reason for a class of our own; when this fails, it may have become needless.
    table = keras.Variable(np.zeros((ROWS, WIDTH), np.float32))
    optimizer = keras.optimizers.AdamW(RATE, weight_decay=DECAY)
    optimizer.build([table])
    optimizer.apply([slices([4, 4], np.ones((2, WIDTH)))], [table])
    assert table.numpy()[4, 0] == pytest.approx(-RATE * 2**0.5, rel=1e-3)


@pytest.mark.parametrize("lazy_from", [DENSE, LAZY])
def test_sparse_gradients_of_all_rows_give_what_dense_ones_do(lazy_from: int) -> None:
    random = np.random.default_rng(1)
    weights = random.normal(size=(ROWS, WIDTH))
    table, optimizer = a_table(lazy_from, weights)
    reference = ReferenceAdamW(weights)
    for _ in range(40):
        gradient = random.normal(size=(ROWS, WIDTH))
        order = random.permutation(ROWS)
        optimizer.apply([slices(order.tolist(), gradient[order])], [table])
        reference.apply(gradient)
    np.testing.assert_allclose(table.numpy(), reference.weights, atol=1e-5)


def test_rows_below_the_limit_are_updated_in_every_step() -> None:
    random = np.random.default_rng(2)
    weights = random.normal(size=(ROWS, WIDTH))
    table, optimizer = a_table(DENSE, weights)
    reference = ReferenceAdamW(weights)
    for step in range(40):
        gradient = np.zeros((ROWS, WIDTH))
        gradient[step % 5] = random.normal(size=WIDTH)
        optimizer.apply([slices([step % 5], gradient[[step % 5]])], [table])
        reference.apply(gradient)
    np.testing.assert_allclose(table.numpy(), reference.weights, atol=1e-5)


def test_rows_of_large_tables_make_up_for_what_they_missed() -> None:
    random = np.random.default_rng(3)
    weights = random.normal(size=(ROWS, WIDTH))
    rate = keras.optimizers.schedules.PolynomialDecay(0.005, 200, end_learning_rate=0.0)
    table, optimizer = a_table(LAZY, weights, rate)
    reference = ReferenceAdamW(weights)
    for step in range(150):
        reference._rate = 0.005 * (1 - step / 200)
        gradient = np.zeros((ROWS, WIDTH))
        touched = random.choice(ROWS - 1, 3, replace=False)  # the last row never
        gradient[touched] = random.normal(size=(3, WIDTH))
        optimizer.apply([slices(touched.tolist(), gradient[touched])], [table])
        reference.apply(gradient)
    optimizer.catch_up()
    moved = np.abs(reference.weights - weights).mean()
    assert np.abs(table.numpy() - reference.weights).max() < 0.05 * moved
    np.testing.assert_allclose(table.numpy()[-1], reference.weights[-1], rtol=2e-3)
    caught_up = table.numpy()
    optimizer.catch_up()
    np.testing.assert_array_equal(table.numpy(), caught_up)


def test_vectors_are_tables_too() -> None:
    biases = keras.Variable(np.zeros(ROWS, np.float32))
    optimizer = TableAdamW(RATE, weight_decay=DECAY, lazy_from=LAZY)
    optimizer.build([biases])
    optimizer.apply([tf.IndexedSlices(tf.constant([2.0, 2.0]), tf.constant([1, 1]))], [biases])
    np.testing.assert_allclose(biases.numpy(), np.where(np.arange(ROWS) == 1, -RATE, 0), atol=1e-6)
