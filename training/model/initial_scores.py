"""Scores of a model that has not been trained: popularity and factors, in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.model.histories import Histories
from training.model.history_pooling import PROJECTION_GAIN
from training.model.starting_point import initial_popularity, item_factors

_USERS_AT_ONCE = 16_384


class InitialScores:
    """What `TwoTowerModel` scores before its first step, but for the small random part of its tables.

    Attributes:
        popularity: float32 `[num_candidates]`.
        lengths: float32 `[num_users]`, movies of each history.
    """

    def __init__(self, table: RatingsTable, histories: Histories, config: TrainingConfig) -> None:
        popularity, _ = initial_popularity(table, config)
        self.popularity = popularity
        self.lengths = np.diff(histories.offsets).astype(np.float32)
        self._histories, self._scales = histories, config.history_scales
        self.take_factors(*item_factors(histories, config))

    def take_factors(self, read: NDArray[np.float32], predicted: NDArray[np.float32]) -> None:
        """Score by other factors than those of the configuration, both float32 `[num_candidates, D]`."""
        self._predicted = predicted
        self._pooled = np.zeros((len(self.lengths), read.shape[1]), np.float32)
        for start in range(0, len(self.lengths), _USERS_AT_ONCE):
            of_block = slice(start, start + _USERS_AT_ONCE)
            self._pooled[of_block] = _pool(self._histories, of_block, self._scales) @ read

    def of_factors(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Scores by factors of scale 1, float32 `[B, num_candidates]`; 0 for `NO_ROW`."""
        known = np.where(user_rows[:, None] >= 0, self._pooled[np.maximum(user_rows, 0)], np.float32(0))
        scores: NDArray[np.float32] = known @ self._predicted.T
        return scores

    def of_popularity(self, user_rows: NDArray[np.int32], popularity_scale: float) -> NDArray[np.float32]:
        """Scores by popularity, float32 `[B, num_candidates]`, see `QueryTower`."""
        lengths = np.where(user_rows >= 0, self.lengths[np.maximum(user_rows, 0)], np.float32(0))
        shares = (1 + np.float32(popularity_scale) * lengths) / (1 + lengths)
        scores: NDArray[np.float32] = shares[:, None] * self.popularity
        return scores

    def score(
        self, user_rows: NDArray[np.int32], *, popularity_scale: float, factor_scale: float
    ) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, num_candidates]`, for int32 `[B]` users."""
        of_factors = np.float32(factor_scale) * self.of_factors(user_rows)
        return self.of_popularity(user_rows, popularity_scale) + of_factors


def _pool(histories: Histories, of_block: slice, scales: tuple[float, ...]) -> csr_matrix:
    """The weights of `HistoryPooling` at the end of histories, summed over scales: `[users, candidates]`."""
    offsets = histories.offsets[of_block.start : of_block.stop + 1]
    count = len(offsets) - 1
    users = np.repeat(np.arange(count), np.diff(offsets))
    distances = offsets[1:][users] - 1 - np.arange(offsets[0], offsets[-1])
    weights = np.zeros(len(users))
    for scale in scales:
        of_scale = 1 / (1 + distances / scale)
        norms = np.sqrt(np.bincount(users, of_scale**2, minlength=count))
        weights += PROJECTION_GAIN * of_scale / norms[users]
    movies = histories.movie_rows[offsets[0] : offsets[-1]]
    return csr_matrix((weights, movies, offsets - offsets[0]), (count, histories.num_candidates))
