"""AdamW for tables of which a step touches some rows: each row counted once, large tables by touched rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from training.model.row_blocks import row_blocks

LAZY_FROM = 100_000
"""Rows from which a table is updated by touched rows; below, a pass over the whole table costs no more."""


class _Rows(NamedTuple):
    """Rows of a table and of its two moments, float32 `[n, ...]`."""

    weight: tf.Tensor
    momentum: tf.Tensor
    velocity: tf.Tensor


class _LazyTable(NamedTuple):
    """A table with its moments, and up to where each row is updated.

    Attributes:
        weight, momentum, velocity: float32 `[rows, ...]`.
        updated: int32 `[rows]`, steps.
        decayed: float32 `[rows]`, sum of the rates of these steps.
    """

    weight: tf.Variable
    momentum: tf.Variable
    velocity: tf.Variable
    updated: tf.Variable
    decayed: tf.Variable

    def read(self, rows: tf.Tensor) -> _Rows:
        """Look up int32 `[n]` rows."""
        return _Rows(*(tf.gather(of, rows) for of in (self.weight, self.momentum, self.velocity)))

    def write(self, rows: tf.Tensor, now: _Rows, steps: tf.Tensor, rates: tf.Tensor) -> None:
        """Replace int32 `[n]` rows, each once, that are updated up to so many steps."""
        count = tf.size(rows)
        values = *now, tf.fill([count], steps), tf.fill([count], rates)
        for variable, value in zip(self, values, strict=True):
            variable.scatter_update(tf.IndexedSlices(value, rows))


class TableAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) with right sparse gradients.

    A row that occurs twice in a sparse gradient has the sum of both as its gradient. Keras 3.15's own AdamW
    adds their squares instead of squaring the sum, and its step is 1.41 times too long.

    Of a table with `lazy_from` rows and more only those rows are updated that a step touches. What a row
    missed since it was last touched, decay of weight and moments and the steps of its momentum, is made up
    for when it is touched next, and for all rows by `catch_up`: after that the table is what dense steps
    would have made of it, but for rows that were read before they were caught up.

    Args:
        learning_rate: A number or a schedule.
        weight_decay: Decoupled decay, times the rate.
        lazy_from: Rows from which a table is updated by touched rows.
    """

    def __init__(
        self, learning_rate: Any, *, weight_decay: float, lazy_from: int = LAZY_FROM, **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._lazy_from = lazy_from
        self._lazy: dict[str, _LazyTable] = {}

    def build(self, variables: list[keras.Variable]) -> None:
        """Add the moments of all variables, and of large tables when each row was last updated."""
        if self.built:
            return
        super().build(variables)
        self._rate_so_far = self.add_variable(shape=(), name="rate_so_far", initializer="zeros")
        for at, variable in enumerate(variables):
            if len(variable.shape) and variable.shape[0] >= self._lazy_from:
                rows = (int(variable.shape[0]),)
                self._lazy[str(at)] = _LazyTable(
                    variable.value,
                    self._momentums[at].value,
                    self._velocities[at].value,
                    self.add_variable(rows, "zeros", "int32", name="updated").value,
                    self.add_variable(rows, "zeros", name="decayed").value,
                )

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Update one variable, `tf.Variable`, by its gradient, `tf.Tensor` or `tf.IndexedSlices`."""
        state = self._lazy.get(str(self._get_variable_index(variable)))
        if state is None or not isinstance(gradient, tf.IndexedSlices):
            self._update_all(tf.convert_to_tensor(gradient), variable, learning_rate)
            return
        distinct = summed(gradient)
        rows, values = distinct.indices, distinct.values
        before = self._caught_up(state, rows)
        rate = tf.cast(learning_rate, tf.float32)
        weight = before.weight * (1 - self.weight_decay * rate)
        momentum = before.momentum + (1 - self.beta_1) * (values - before.momentum)
        velocity = before.velocity + (1 - self.beta_2) * (values**2 - before.velocity)
        step = self._step_size(rate, self.iterations.value + 1)
        weight -= step * momentum / (tf.sqrt(velocity) + self.epsilon)
        now = _Rows(weight, momentum, velocity)
        state.write(rows, now, tf.cast(self.iterations.value + 1, tf.int32), self._rate_so_far.value + rate)

    def _update_all(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: Any) -> None:
        """Update a whole variable as Keras does, by one operation instead of a dozen passes over it."""
        at, step = self._get_variable_index(variable), tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[at].value.handle,
            v=self._velocities[at].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Update all variables by their gradients."""
        rate = tf.cast(self.learning_rate, tf.float32)
        super().apply(grads, trainable_variables)
        self._rate_so_far.assign_add(rate)

    def catch_up(self) -> None:
        """Make up for what rows of large tables missed."""
        for state in self._lazy.values():
            rows = tf.range(state.weight.shape[0])
            for each in row_blocks(state.weight.shape[0]):
                block = rows[each]
                steps = tf.cast(self.iterations.value, tf.int32)
                state.write(block, self._caught_up(state, block), steps, self._rate_so_far.value)

    def _apply_weight_decay(self, variables: list[Any]) -> None:
        lazy = {id(state.weight) for state in self._lazy.values()}
        super()._apply_weight_decay([one for one in variables if id(getattr(one, "value", one)) not in lazy])

    def _step_size(self, rate: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Adam's rate with both bias corrections, at a step counted from 1."""
        step = tf.cast(step, tf.float32)
        return rate * tf.sqrt(1 - self.beta_2**step) / (1 - self.beta_1**step)

    def _caught_up(self, state: _LazyTable, rows: tf.Tensor) -> _Rows:
        """Rows as dense steps without a gradient would have left them.

        In each of n such steps the first moment is multiplied with beta_1, the second with beta_2, and the
        weight decays and moves by rate x first / sqrt(second): a geometric series, whose rate is taken as the
        mean of the n steps' and whose bias corrections as the last one's.
        """
        weight, momentum, velocity = state.read(rows)
        updated, decayed = tf.gather(state.updated, rows), tf.gather(state.decayed, rows)
        per_row = [-1] + [1] * (weight.shape.rank - 1)
        steps = tf.cast(tf.cast(self.iterations.value, tf.int32) - updated, tf.float32)
        missed, rates = tf.reshape(steps, per_row), tf.reshape(self._rate_so_far.value - decayed, per_row)
        ratio = self.beta_1 / self.beta_2**0.5
        moves = ratio * (1 - ratio**missed) / (1 - ratio)
        size = self._step_size(tf.math.divide_no_nan(rates, missed), tf.maximum(self.iterations.value, 1))
        weight = weight * tf.exp(-self.weight_decay * rates)
        weight -= size * moves * momentum / (tf.sqrt(velocity) + self.epsilon)
        return _Rows(weight, momentum * self.beta_1**missed, velocity * self.beta_2**missed)


def summed(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """Sum what a sparse gradient has of each row: the same gradient with distinct rows, int32."""
    rows, places = tf.unique(tf.cast(gradient.indices, tf.int32))
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, gradient.dense_shape)
