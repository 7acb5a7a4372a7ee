"""The histories of a batch of queries as tensors."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from service.bundle import NO_TIMESTAMP
from training.model.layers import sum_runs


class HistoryBatch(NamedTuple):
    """Histories of a batch, one after another: `n` movies in all.

    Attributes:
        queries: int32 `[n]`, ascending: position in the batch of the query that each movie belongs to.
        movie_rows: int32 `[n]`.
        ratings: float32 `[n]` stars, NaN where not rated.
        timestamps: int64 `[n]`, `NO_TIMESTAMP` where not known.
        distances: float32 `[n]`: number of movies between this one and the time of the query.
        num_queries: int32 scalar.
    """

    queries: tf.Tensor
    movie_rows: tf.Tensor
    ratings: tf.Tensor
    timestamps: tf.Tensor
    distances: tf.Tensor
    num_queries: tf.Tensor

    @classmethod
    def from_inputs(cls, inputs: dict[str, tf.Tensor]) -> HistoryBatch:
        """Read the query arguments that `service.bundle` describes, and compute distances.

        A query without a time comes after its whole history. One with a time lies between the movies rated up
        to then and those rated later (an example that predicts hidden movies has both), and distances count
        from there in both directions. Movies without a time of their own count as earlier.
        """
        lengths = inputs["history_lengths"]
        ends = tf.cumsum(lengths)
        queries = tf.searchsorted(ends, tf.range(tf.size(inputs["history_rows"])), side="right")
        query_times = tf.gather(inputs["timestamps"], queries)
        earlier = (query_times == NO_TIMESTAMP) | (inputs["history_timestamps"] <= query_times)
        # Inclusive counts over all queries, from 0 before the first movie.
        num_earlier = tf.concat([[0], tf.cumsum(tf.cast(earlier, tf.int32))], axis=0)
        num_later = tf.range(tf.size(num_earlier)) - num_earlier
        distances = tf.where(
            earlier,
            tf.gather(tf.gather(num_earlier, ends), queries) - num_earlier[1:],
            num_later[:-1] - tf.gather(tf.gather(num_later, ends - lengths), queries),
        )
        return cls(
            queries=queries,
            movie_rows=inputs["history_rows"],
            ratings=inputs["history_ratings"],
            timestamps=inputs["history_timestamps"],
            distances=tf.cast(distances, tf.float32),
            num_queries=tf.size(lengths),
        )

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """Sum `[n, ...]` by query to `[num_queries, ...]`; 0 for an empty history."""
        return sum_runs(values, self.queries, self.num_queries)
