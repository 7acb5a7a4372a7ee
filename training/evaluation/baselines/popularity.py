"""The popularity baselines: every user gets the movies rated most, of all time or of the last days."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.model.histories import Histories

RECENT_DAYS = (7, 30)

_SECONDS_A_DAY = 86_400


class Popularity:
    """Scores movies by their number of ratings, the same for every user."""

    def __init__(self, histories: Histories) -> None:
        self._scores = histories.movie_counts.astype(np.float32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, C]`, for int32 `[B]` users."""
        return np.broadcast_to(self._scores, (len(user_rows), len(self._scores)))


class RecentPopularity:
    """Scores movies by their number of ratings in the last days, equals by their number of all time.

    The days are those up to the latest training row. A score is the position among all distinct pairs of both
    numbers.

    Args:
        train: Training rows with times.
        days: How many.
    """

    def __init__(self, train: RatingsTable, days: int) -> None:
        recent = train.timestamps > train.timestamps.max() - days * _SECONDS_A_DAY
        counts = np.bincount(train.movie_rows[recent], minlength=train.num_movies)
        both = np.stack([counts, train.movie_counts], axis=1)
        _, positions = np.unique(both, axis=0, return_inverse=True)
        self._scores = positions.reshape(-1).astype(np.float32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, C]`, for int32 `[B]` users."""
        return np.broadcast_to(self._scores, (len(user_rows), len(self._scores)))
