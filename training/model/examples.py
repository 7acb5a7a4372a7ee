"""Pack training examples into batches: a user's history up to a time, and the ratings after it.

An example is one user, the idea of a user as one multinomial example is Liang et al. 2018 (arXiv:1802.05814).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from service.bundle.query_encoding import QueryInputs
from training.config import TrainingConfig
from training.model.example_draws import ExampleDraws, draw_examples
from training.model.histories import Histories
from training.model.popularity_trend import PopularityTrend

Batch: TypeAlias = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Example:
    """One of `ExampleDraws`: positions within one user's history, oldest first.

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
        """Draw one example of a user."""
        drawn = draw_examples(self._histories, np.array([user_row]), self._config, self._random)
        read, retrieved, rated = (np.flatnonzero(of) for of in (drawn.read, drawn.retrieved, drawn.rated))
        return Example(read, retrieved, rated, int(drawn.timestamps[0]), int(drawn.moments[0]))

    def _pack(self, users: NDArray[np.int64]) -> Batch:
        config, histories = self._config, self._histories
        drawn = draw_examples(histories, users, config, self._random)
        movies = histories.movie_rows[drawn.places]
        candidate_rows, log_sampling = self._columns(movies[drawn.rated])
        columns = self._columns_of(movies, candidate_rows)
        pairs = np.stack([drawn.owners.astype(np.int32), columns], axis=1)
        targets = np.bincount(drawn.owners[drawn.retrieved]).astype(np.float64)
        weights = (targets ** (config.user_weight_power - 1))[drawn.owners[drawn.retrieved]]
        stars = histories.ratings[drawn.places]
        is_rating = drawn.rated & ~np.isnan(stars)
        num_ratings = int(np.count_nonzero(is_rating))
        with_id = self._random.random(len(users)) >= config.user_dropout
        trend = {} if self._trend is None else {"periods": self._trend.periods(drawn.moments)}
        return (
            self._encode(drawn, np.where(with_id, users, NO_ROW))
            | trend
            | {
                "candidate_rows": candidate_rows,
                "log_sampling": log_sampling,
                "retrieval_pairs": pairs[drawn.retrieved],
                "retrieval_weights": (weights / weights.sum()).astype(np.float32),
                "masked_pairs": pairs[~drawn.retrieved & (columns != NO_ROW)],
                "rating_pairs": pairs[is_rating],
                "ratings": stars[is_rating],
                "rating_weights": np.full(num_ratings, 1 / max(1, num_ratings), np.float32),
            }
        )

    def _encode(self, drawn: ExampleDraws, user_rows: NDArray[np.int64]) -> QueryInputs:
        """Encode what is read, as `encode_queries` does histories, cut to the most recent `max_history`."""
        read = np.flatnonzero(drawn.read)
        owners = drawn.owners[read]
        lengths = np.bincount(owners, minlength=len(user_rows))
        from_end = np.cumsum(lengths)[owners] - np.arange(len(read))
        places = drawn.places[read[from_end <= self._config.max_history]]
        return {
            "user_rows": user_rows.astype(np.int32),
            "timestamps": drawn.timestamps,
            "history_lengths": np.minimum(lengths, self._config.max_history).astype(np.int32),
            "history_rows": self._histories.movie_rows[places],
            "history_ratings": self._histories.ratings[places],
            "history_timestamps": self._histories.timestamps[places],
        }

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
        is_column = np.zeros(candidates, np.bool_)
        is_column[movie_rows] = True
        is_column[self._random.integers(0, candidates, uniform)] = True
        columns = np.flatnonzero(is_column).astype(np.int32)
        log_missed = len(movie_rows) * np.log1p(-np.minimum(self._popularity[columns], 1 - 1e-9))
        log_missed += uniform * np.log1p(-1 / candidates)
        return columns, np.log(-np.expm1(log_missed)).astype(np.float32)

    def _columns_of(
        self, movie_rows: NDArray[np.int32], candidate_rows: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Columns of movies, int32 `[n]`; `NO_ROW` of those that have none."""
        if self._whole_catalogue:
            return movie_rows
        columns = np.full(self._histories.num_candidates, NO_ROW, np.int32)
        columns[candidate_rows] = np.arange(len(candidate_rows), dtype=np.int32)
        return columns[movie_rows]
