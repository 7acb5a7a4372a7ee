"""The popularity baseline: every user gets the most rated movies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.model.histories import Histories


class Popularity:
    """Scores movies by their number of ratings, the same for every user."""

    def __init__(self, histories: Histories) -> None:
        self._scores = histories.movie_counts.astype(np.float32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, C]`, for int32 `[B]` users."""
        return np.broadcast_to(self._scores, (len(user_rows), len(self._scores)))
