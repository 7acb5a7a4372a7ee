"""The most popular movies, for everybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.model.histories import Histories


class Popularity:
    """Everybody gets the movies that most people rated."""

    def __init__(self, histories: Histories, num_candidates: int) -> None:
        counts = np.bincount(histories.movie_rows, minlength=num_candidates)
        self._scores = counts.astype(np.float32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `[B, C]` for int32 `[B]` users."""
        return np.broadcast_to(self._scores, (len(user_rows), len(self._scores)))
