"""The query tower and the candidate tower: a score is the dot product of what they return."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_TIMESTAMP
from training.config import TrainingConfig
from training.model.features import FeatureBags
from training.model.layers import (
    DenseStack,
    EmbeddingBag,
    FlatHistory,
    OptionalEmbedding,
    constant_weight,
    embedding_table,
)


class Vocabulary(NamedTuple):
    """What the towers were built on; everything is known before training starts.

    Attributes:
        num_users: Users of the training rows.
        candidates: Content of every movie.
        users: Features of every user.
        boundaries: int64, between time buckets.
        time_range: First and last training time; queries are clipped to it.
        candidate_counts: float32 `[num_candidates]`, training ratings of each movie.
        mean_rating, rating_spread: Mean and standard deviation of the training ratings, in stars.
        rating_scale: Smallest and largest stars.
    """

    num_users: int
    candidates: FeatureBags
    users: FeatureBags
    boundaries: NDArray[np.int64]
    time_range: tuple[int, int]
    candidate_counts: NDArray[np.float32]
    mean_rating: float
    rating_spread: float
    rating_scale: tuple[float, float]

    @property
    def num_candidates(self) -> int:
        """How many movies can be recommended."""
        return len(self.candidates.rows)


class FeatureTower(keras.layers.Layer):
    """Features of one side, put together, then dense layers: what every tower is made of.

    Args:
        features: Each the name of an input and the layer that embeds it, float32 `[n, width]`.
        widths: Of the dense layers, see `DenseStack`.
        concatenated: Whether features lie side by side; else they are of one width, and summed.
    """

    def __init__(
        self,
        features: Sequence[tuple[str, keras.layers.Layer]] = (),
        widths: tuple[int, ...] = (),
        *,
        concatenated: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._inputs: list[str] = []
        self._embeddings: list[keras.layers.Layer] = []
        self._concatenated = concatenated
        self._stack = DenseStack(widths)
        for name, layer in features:
            self.add_feature(name, layer)

    def add_feature(self, name: str, layer: keras.layers.Layer) -> None:
        """One more, after those there are."""
        self._inputs.append(name)
        self._embeddings.append(layer)

    def combine(self, inputs: dict[str, tf.Tensor], start: tf.Tensor | float = 0.0) -> tf.Tensor:
        """The features before the dense layers; a sum begins with `start`."""
        embedded = [layer(inputs[name]) for name, layer in zip(self._inputs, self._embeddings, strict=True)]
        return tf.concat(embedded, axis=1) if self._concatenated else sum(embedded, start)


class PlainTower(FeatureTower):
    """A tower of nothing but features, as both are in the tutorials."""

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Embeds `n` things by name of input, float32 `[n, width]`."""
        return self._stack(self.combine(inputs))


class CandidateTower(FeatureTower):
    """Movie id, title words, genres and year to float32 `[K, dimension + 1]`; the last column is a bias."""

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(widths=config.layers, **kwargs)
        count, dimension = vocabulary.num_candidates, config.embedding_dimension
        self._ids = embedding_table(self, "ids", count, dimension, stddev=0.05)
        if config.use_content:
            self._content = EmbeddingBag(vocabulary.candidates, dimension, 0.02)
            self.add_feature("candidate_rows", self._content)
        self._bias = self.add_weight(name="bias", shape=(count,), initializer="zeros")

    def call(self, candidate_rows: tf.Tensor) -> tf.Tensor:
        """Embeds movies, int32 `[K]`."""
        ids = tf.gather(self._ids.value, candidate_rows)
        values = self.combine({"candidate_rows": candidate_rows}, ids)
        bias = tf.gather(self._bias.value, candidate_rows)
        return tf.concat([self._stack(values), bias[:, None]], axis=1)


class HistoryPooling(keras.layers.Layer):
    """The history at one age scale to float32 `[B, dimension]`.

    A movie at distance d weighs w = 1 / (1 + d / scale); it adds its embedding, and a second one times how
    far its rating lies from the mean, in standard deviations. The sum is divided by sqrt(sum of w^2), which
    keeps its spread the same for three movies and for three hundred. A query with a time reads the result
    otherwise than one without: what lies near a known moment says more than what happens to be last.
    """

    def __init__(self, scale: float, dimension: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._scale = scale
        self._projection = self.add_weight(
            name="projection", shape=(dimension, dimension), initializer=keras.initializers.Identity(gain=0.7)
        )
        self._timed_projection = self.add_weight(
            name="timed_projection", shape=(dimension, dimension), initializer="zeros"
        )

    def call(
        self, history: FlatHistory, presence: tf.Tensor, preference: tf.Tensor, timed: tf.Tensor
    ) -> tf.Tensor:
        """Pools.

        Args:
            history: `n` movies.
            presence: float32 `[n, dimension]`, what having watched a movie says.
            preference: float32 `[n, dimension]`, what having liked it says.
            timed: float32 `[B, 1]`, 1 for queries with a time, 0 for those without.
        """
        weights = 1 / (1 + history.distances / self._scale)
        total = history.sum(weights[:, None] * (presence + preference))
        norm = tf.sqrt(history.sum(weights**2))
        pooled = tf.math.divide_no_nan(total, norm[:, None])
        return pooled @ self._projection.value + timed * (pooled @ self._timed_projection.value)


class QueryTower(FeatureTower):
    """User id, user features, time and history to float32 `[B, dimension + 1]`; the last column is 1."""

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(widths=config.layers, **kwargs)
        dimension = config.embedding_dimension
        self._first, self._last = vocabulary.time_range
        self._base = self.add_weight(name="base", shape=(dimension,), initializer="zeros")
        self._ids = OptionalEmbedding(vocabulary.num_users, dimension, 0.01) if config.use_user_id else None
        self._features = EmbeddingBag(vocabulary.users, dimension, 0.01, padded=True)
        self.add_feature("user_rows", self._features)
        if self._ids is not None:
            self.add_feature("user_rows", self._ids)
        if config.time_buckets:
            self._times = OptionalEmbedding(len(vocabulary.boundaries) + 1, dimension, 0.01)
            self.add_feature("time_rows", self._times)
        self._reads_history_times = config.use_history_times and config.time_buckets > 0
        self._boundaries = constant_weight(self, "boundaries", vocabulary.boundaries)
        self._pools: list[HistoryPooling] = []
        if config.use_history:
            self._presence = embedding_table(self, "presence", vocabulary.num_candidates, dimension, 0.05)
            self._preference = embedding_table(self, "preference", vocabulary.num_candidates, dimension, 0.02)
            self._pools = [HistoryPooling(scale, dimension) for scale in config.history_scales]

    def call(self, inputs: dict[str, tf.Tensor], history: FlatHistory, deviations: tf.Tensor) -> tf.Tensor:
        """Embeds queries.

        Args:
            inputs: As `service.bundle` describes them.
            history: The same inputs' histories, `n` movies in all.
            deviations: float32 `[n]`, ratings above the mean in standard deviations, 0 where not rated.
        """
        features = inputs | {"time_rows": self._bucket(inputs["timestamps"])}
        values = self.combine(features, self._base.value)
        if self._pools:
            presence = tf.gather(self._presence.value, history.movie_rows)
            preference = deviations[:, None] * tf.gather(self._preference.value, history.movie_rows)
            timed = tf.cast(inputs["timestamps"] != NO_TIMESTAMP, tf.float32)[:, None]
            if self._reads_history_times:
                values += (1 - timed) * self._mean_time(history)
            for pool in self._pools:
                values += pool(history, presence, preference, timed)
        values = self._stack(values)
        return tf.concat([values, tf.ones_like(values[:, :1])], axis=1)

    def clip_times(self, timestamps: tf.Tensor) -> tf.Tensor:
        """Clips int64 `[B]` to the training times, where histories are cut too; no time stays none."""
        clipped = tf.clip_by_value(timestamps, self._first, self._last)
        return tf.where(timestamps == NO_TIMESTAMP, timestamps, clipped)

    def _mean_time(self, history: FlatHistory) -> tf.Tensor:
        """Mean embedding of the times of each history, float32 `[B, dimension]`; zeros where unknown."""
        known = tf.cast(history.timestamps != NO_TIMESTAMP, tf.float32)
        total = history.sum(self._times(self._bucket(history.timestamps)))
        return tf.math.divide_no_nan(total, history.sum(known)[:, None])

    def _bucket(self, timestamps: tf.Tensor) -> tf.Tensor:
        """int32, the quantile bucket of each time; -1 for no time."""
        buckets = tf.searchsorted(self._boundaries.value, timestamps, side="right")
        return tf.where(timestamps == NO_TIMESTAMP, -1, buckets)
