"""Draw training examples: a user's history up to a time, and the ratings after it.

An example is one user. Movies of the history are either read (the query's input) or hidden (its targets),
never both, or the model would learn to copy. The idea of a user as one multinomial example is Liang et al.
2018 (arXiv:1802.05814).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.query_encoding import encode_queries
from training.config import TrainingConfig
from training.model.histories import Histories
from training.model.popularity_trend import PopularityTrend

Batch: TypeAlias = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Example:
    """Positions within one user's history, oldest first.

    Attributes:
        read: The query's input, ascending.
        retrieved: Targets of the retrieval task.
        rated: Targets of the rating task.
        timestamp: Time of the query, Unix seconds, or `NO_TIMESTAMP`.
        moment: When the targets were watched, whether the query says so or not; Unix seconds.
    """

    read: NDArray[np.int64]
    retrieved: NDArray[np.int64]
    rated: NDArray[np.int64]
    timestamp: int
    moment: int


class ExampleSampler:
    """Draws examples and packs them into batches for `TwoTowerModel`.

    A batch holds the query arguments (`service.bundle`) and, pairs being (row in the batch, position in
    `candidate_rows`),
    `candidate_rows` int32 `[K]`, the softmax's columns: the whole catalogue, or the batch's own movies and
    as many more at random;
    `log_sampling` float32 `[K]`, log of the probability that a column is in the batch, 0 for the catalogue;
    `retrieval_pairs` int32 `[T, 2]` with `retrieval_weights` float32 `[T]`, summing to 1;
    `masked_pairs` int32 `[M, 2]`, other movies of the same user, no negatives;
    `periods` int32 `[B]`, rows of the popularity trend, if there is one;
    `rating_pairs` int32 `[R, 2]` with `ratings` float32 `[R]`, stars, and `rating_weights` float32 `[R]`,
    summing to 1; R may be 0.
    """

    def __init__(
        self, histories: Histories, config: TrainingConfig, trend: PopularityTrend | None = None
    ) -> None:
        self._histories = histories
        self._trend = trend
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._whole_catalogue = histories.num_candidates <= config.full_softmax_candidates
        self._popularity = histories.movie_counts / max(1, histories.movie_counts.sum())

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches that contain every user once."""
        return -(-len(self._histories) // self._config.batch_size)

    def batches(self) -> Iterator[Batch]:
        """Yield endless batches; every user once per epoch, in a new order."""
        size = self._config.batch_size
        while True:
            users = self._random.permutation(len(self._histories))
            for start in range(0, len(users), size):
                yield self._pack(users[start : start + size])

    def draw(self, user_row: int) -> Example:
        """Draw one example of a user: predict the future, or movies hidden at random."""
        config, random = self._config, self._random
        times = self._histories.timestamps[self._histories.rows_of(user_row)]
        length = len(times)
        timed = random.random() >= config.time_dropout
        if random.random() < config.empty_share:
            everything = np.arange(length)
            first = int(times[0])
            return Example(everything[:0], everything, everything, first if timed else NO_TIMESTAMP, first)
        if random.random() < config.forward_share:
            cut = round(length * random.uniform(config.cut_low, config.cut_high))
            cut = min(max(cut, 1), length - 1) if length > 1 else 0
            past, future = np.arange(cut), np.arange(cut, length)
            moment = int(times[cut])
            timestamp = moment if timed else NO_TIMESTAMP
            if random.random() < config.short_share:
                recent = past[-random.integers(1, config.short_history + 1) :]
                return Example(recent, future, future, timestamp, moment)
            kept = random.random(cut) >= random.uniform(0, config.history_dropout)
            return Example(past[kept], future, np.concatenate([past[~kept], future]), timestamp, moment)
        kept = random.random(length) >= random.uniform(config.hidden_low, config.hidden_high)
        kept[random.integers(length)] = False
        read, hidden = np.flatnonzero(kept), np.flatnonzero(~kept)
        anchor = random.choice(hidden)
        moment = int(times[anchor])
        if not timed:
            return Example(read, hidden, hidden, NO_TIMESTAMP, moment)
        window = random.integers(1, config.time_window + 1)
        near = hidden[np.argsort(np.abs(hidden - anchor), kind="stable")[:window]]
        return Example(read, np.sort(near), hidden, moment, moment)

    def _pack(self, users: NDArray[np.int64]) -> Batch:
        config, random = self._config, self._random
        examples = [self.draw(user) for user in users.tolist()]
        histories = [self._histories.history_of(user) for user in users.tolist()]
        drawn = list(zip(histories, examples, strict=True))
        retrieved = _pairs([history.rows[example.retrieved] for history, example in drawn])
        rated = _pairs([history.rows[example.rated] for history, example in drawn])
        not_retrieved = _pairs([np.delete(history.rows, example.retrieved) for history, example in drawn])
        # Retrieved movies are rated too, and each draw counts once.
        stars = np.concatenate([history.ratings[example.rated] for history, example in drawn])
        is_rated = ~np.isnan(stars)
        num_rated = int(np.count_nonzero(is_rated))
        candidate_rows, log_sampling = self._columns(rated[:, 1])
        targets = np.bincount(retrieved[:, 0], minlength=len(users)).astype(np.float64)
        weights = (targets ** (config.user_weight_power - 1))[retrieved[:, 0]]
        with_id = random.random(len(users)) >= config.user_dropout
        queries = encode_queries(
            [history.take(example.read[-config.max_history :]) for history, example in drawn],
            np.where(with_id, users, NO_ROW),
            [example.timestamp for example in examples],
        )
        periods = {}
        if self._trend is not None:
            moments = np.array([example.moment for example in examples], np.int64)
            periods["periods"] = self._trend.periods(moments)
        return (
            queries
            | periods
            | {
                "candidate_rows": candidate_rows,
                "log_sampling": log_sampling,
                "retrieval_pairs": self._to_columns(retrieved, candidate_rows),
                "retrieval_weights": (weights / weights.sum()).astype(np.float32),
                "masked_pairs": self._to_columns(not_retrieved, candidate_rows),
                "rating_pairs": self._to_columns(rated[is_rated], candidate_rows),
                "ratings": stars[is_rated],
                "rating_weights": np.full(num_rated, 1 / max(1, num_rated), np.float32),
            }
        )

    def _columns(self, movie_rows: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The softmax's columns and the log of each one's sampling probability.

        As in Yi et al. 2019 (doi 10.1145/3298689.3346996), for draws counted once: a movie of
        popularity p is among n draws with probability 1 - (1 - p)^n. Movies drawn uniformly join them, for
        popular ones alone as negatives leave the others anywhere (mixed negative sampling, Yang et al. 2020,
        doi 10.1145/3366424.3386195).
        """
        if self._whole_catalogue:
            count = self._histories.num_candidates
            return np.arange(count, dtype=np.int32), np.zeros(count, np.float32)
        candidates, uniform = self._histories.num_candidates, self._config.uniform_negatives
        drawn = self._random.integers(0, candidates, uniform, dtype=np.int32)
        columns = np.unique(np.concatenate([movie_rows, drawn]))
        log_missed = len(movie_rows) * np.log1p(-np.minimum(self._popularity[columns], 1 - 1e-9))
        log_missed += uniform * np.log1p(-1 / candidates)
        return columns, np.log(-np.expm1(log_missed)).astype(np.float32)

    def _to_columns(self, pairs: NDArray[np.int32], candidate_rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Pairs (user, candidate row) as (user, column); those that are no column are left out."""
        if self._whole_catalogue:
            return pairs
        columns = np.minimum(np.searchsorted(candidate_rows, pairs[:, 1]), len(candidate_rows) - 1)
        found = candidate_rows[columns] == pairs[:, 1]
        in_columns: NDArray[np.int32] = np.stack([pairs[:, 0], columns], axis=1)[found].astype(np.int32)
        return in_columns


def _pairs(movies: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """int32 `[n, 2]`: (position in the list, movie row)."""
    users = np.repeat(np.arange(len(movies)), [len(rows) for rows in movies])
    return np.stack([users, np.concatenate(movies)], axis=1).astype(np.int32)
