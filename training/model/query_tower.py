"""The query tower: users, times and histories to embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from service.bundle import NO_TIMESTAMP
from training.config import TrainingConfig
from training.model.added_factors import AddedFactors
from training.model.history_batch import HistoryBatch
from training.model.history_pooling import HistoryPooling
from training.model.layers import (
    DenseStack,
    EmbeddingBag,
    OptionalEmbedding,
    build_in_first_call,
    constant_weight,
    embedding_table,
    gather_sum,
)
from training.model.learned_tables import LearnedTable, LearnedTables, Rows, wholes
from training.model.row_blocks import scale_rows
from training.model.vocabulary import Vocabulary


class QueryTower(keras.layers.Layer):
    """User id, user features, time and history to float32 `[B, added_factors + dimension + 1]`.

    The last column multiplies the candidate's bias: (1 + s n) / (1 + n) for n movies of the history, where s
    is `popularity_scale`. It is 1 for an empty history, of which nothing but popularity is known.
    """

    def __init__(self, vocabulary: Vocabulary, config: TrainingConfig, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dimension = config.embedding_dimension
        self._first_time, self._last_time = vocabulary.time_range
        # The order in which layers are created decides which initial weights a seed gives them.
        self._stack = DenseStack(config.layers)
        self._popularity_scale = config.popularity_scale
        self._base = self.add_weight(name="base", shape=(dimension,), initializer="zeros")
        self._ids = OptionalEmbedding(vocabulary.num_users, dimension, 0.01) if config.use_user_id else None
        self._features = EmbeddingBag(vocabulary.users, dimension, 0.01, padded=True)
        self._times = None
        if config.time_buckets:
            self._times = OptionalEmbedding(len(vocabulary.boundaries) + 1, dimension, 0.01)
        self._use_history_times = config.use_history_times
        self._boundaries = constant_weight(self, "boundaries", vocabulary.boundaries)
        self._pools: list[HistoryPooling] = []
        if config.use_history:
            count, factors = vocabulary.num_candidates, vocabulary.start.read_factors
            self._presence = embedding_table(self, "presence", count, dimension, 0.05)
            self._factors = constant_weight(self, "factors", factors)
            self._preference = embedding_table(self, "preference", count, dimension, 0.02)
            self._pools = [HistoryPooling(scale, dimension) for scale in config.history_scales]
        added = vocabulary.start.added_read
        self._added = AddedFactors(added) if added.shape[1] else None
        build_in_first_call(self)

    def call(self, inputs: dict[str, tf.Tensor], history: HistoryBatch, deviations: tf.Tensor) -> tf.Tensor:
        """Embed queries.

        Args:
            inputs: The query arguments that `service.bundle` describes.
            history: The histories of the same inputs, `n` movies in all.
            deviations: float32 `[n]`, ratings above the mean in standard deviations, 0 where not rated.
        """
        values = self._base.value + self._features(inputs["user_rows"])
        if self._ids is not None:
            values += self._ids(inputs["user_rows"])
        if self._times is not None:
            values += self._times(self._bucket(inputs["timestamps"]))
        timed = tf.cast(inputs["timestamps"] != NO_TIMESTAMP, tf.float32)[:, None]
        if self._pools:
            presence = gather_sum(self._presence, self._factors, history.movie_rows)
            preference = deviations[:, None] * tf.gather(self._preference.value, history.movie_rows)
            if self._use_history_times and self._times is not None:
                values += (1 - timed) * self._mean_time(history, self._times)
            for pool in self._pools:
                values += pool(history, presence, preference, timed)
        values = self._stack(values)
        if self._added is not None:
            values = tf.concat([self._added(history, timed), values], axis=1)
        lengths = history.sum(tf.ones_like(history.distances))
        of_bias = (1 + self._popularity_scale * lengths) / (1 + lengths)
        return tf.concat([values, of_bias[:, None]], axis=1)

    def keep_share(self, share: float) -> None:
        """Keep a share of what was learned, see `TwoTowerModel.keeping`; without dense layers only."""
        of_pools = {id(weight) for pool in self._pools for weight in pool.weights}
        for table in self.learned().values():
            if id(table.variable) not in of_pools:
                scale_rows(table.variable, share)
        for pool in self._pools:
            pool.keep_share(share)

    @contextmanager
    def with_added_factors(self) -> Iterator[None]:
        """Score by added factors too until the context ends."""
        if self._added is None:
            yield
            return
        with self._added.included():
            yield

    def include_added_factors(self) -> None:
        """Score by added factors too from now on."""
        if self._added is not None:
            self._added.include()

    def constants(self) -> dict[str, keras.Variable]:
        """Return boundaries between time buckets, and what is added to the table of presence, if any."""
        factors = {"read_factors": self._factors} if self._pools else {}
        return {"boundaries": self._boundaries} | factors

    def learned(self) -> LearnedTables:
        """Return what is trained, by name."""
        found = {
            "base": LearnedTable(Rows.NONE, self._base),
            "features": LearnedTable(Rows.USER_FEATURES, self._features.table),
        }
        if self._ids is not None:
            found["ids"] = LearnedTable(Rows.USERS, self._ids.table)
        if self._times is not None:
            found["times"] = LearnedTable(Rows.TIMES, self._times.table)
        if self._pools:
            found["presence"] = LearnedTable(Rows.CANDIDATES, self._presence)
            found["preference"] = LearnedTable(Rows.CANDIDATES, self._preference)
        return found | wholes("pools", [*self._pools]) | wholes("stack", [self._stack])

    def clip_times(self, timestamps: tf.Tensor) -> tf.Tensor:
        """Clip int64 `[B]` to the training times; `NO_TIMESTAMP` stays as it is."""
        clipped = tf.clip_by_value(timestamps, self._first_time, self._last_time)
        return tf.where(timestamps == NO_TIMESTAMP, timestamps, clipped)

    def _mean_time(self, history: HistoryBatch, times: OptionalEmbedding) -> tf.Tensor:
        """Mean embedding of the times of each history, float32 `[B, dimension]`; zeros where unknown."""
        known = tf.cast(history.timestamps != NO_TIMESTAMP, tf.float32)
        total = history.sum(times(self._bucket(history.timestamps)))
        return tf.math.divide_no_nan(total, history.sum(known)[:, None])

    def _bucket(self, timestamps: tf.Tensor) -> tf.Tensor:
        """int32, the quantile bucket of each time; -1 for no time."""
        buckets = tf.searchsorted(self._boundaries.value, timestamps, side="right")
        return tf.where(timestamps == NO_TIMESTAMP, -1, buckets)
