"""Pool a history into one vector, recent movies weighing more."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.model.history_batch import HistoryBatch

PROJECTION_GAIN = 0.7
"""The projection begins as this times the identity."""


class HistoryPooling(keras.layers.Layer):
    """The history at one age scale to float32 `[B, dimension]`.

    A movie at distance d weighs w = 1 / (1 + d / scale); it adds its presence embedding, and its preference
    embedding times its rating's deviation from the mean, in standard deviations. The sum is divided by
    sqrt(sum of w^2), so that its spread is the same for three movies and for three hundred. Queries with a
    time have a second projection: movies near a known time say more than those that happen to be last.
    """

    def __init__(self, scale: float, dimension: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._scale = scale
        self._projection = self.add_weight(
            name="projection",
            shape=(dimension, dimension),
            initializer=keras.initializers.Identity(gain=PROJECTION_GAIN),
        )
        self._timed_projection = self.add_weight(
            name="timed_projection", shape=(dimension, dimension), initializer="zeros"
        )

    def keep_share(self, share: float) -> None:
        """Keep a share of what was learned, see `TwoTowerModel.keeping`."""
        initial = PROJECTION_GAIN * tf.eye(self._projection.shape[0])
        self._projection.assign(initial + share * (self._projection - initial))
        self._timed_projection.assign(share * self._timed_projection)

    def call(
        self, history: HistoryBatch, presence: tf.Tensor, preference: tf.Tensor, timed: tf.Tensor
    ) -> tf.Tensor:
        """Pool histories.

        Args:
            history: `n` movies.
            presence: float32 `[n, dimension]`, added for each movie, rated or not.
            preference: float32 `[n, dimension]`, added for each movie's rating.
            timed: float32 `[B, 1]`, 1 for queries with a time, 0 for those without.
        """
        weights = 1 / (1 + history.distances / self._scale)
        total = history.sum(weights[:, None] * (presence + preference))
        norm = tf.sqrt(history.sum(weights**2))
        pooled = tf.math.divide_no_nan(total, norm[:, None])
        return pooled @ self._projection.value + timed * (pooled @ self._timed_projection.value)
