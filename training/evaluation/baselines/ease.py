"""The EASE baseline: each movie regressed on the others, in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.evaluation.held_out_users import seen_movies
from training.model.histories import Histories

EASE_MAX_CANDIDATES = 20_000
"""EASE inverts a matrix of candidates x candidates in float64: 3.2 GB and some minutes at this size."""


class Ease:
    """Embarrassingly shallow autoencoder (Steck 2019, arXiv:1905.03375), its closed form.

    B = I - P / diag(P) with P = (X'X + lambda I)^-1; a user's scores are X_u B.
    """

    def __init__(self, histories: Histories, regularization: float = 300.0) -> None:
        self._histories = histories
        gram = regularization * np.eye(histories.num_candidates)
        for start in range(0, len(histories), 512):
            users = np.arange(start, min(start + 512, len(histories)), dtype=np.int32)
            seen = seen_movies(histories, users).astype(np.float32)
            gram += seen.T @ seen
        inverse = np.linalg.inv(gram)
        self._weights = (-inverse / np.diag(inverse)).astype(np.float32)
        np.fill_diagonal(self._weights, 0)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates, float32 `[B, C]`, for int32 `[B]` users; zeros for cold-start users."""
        seen = seen_movies(self._histories, user_rows).astype(np.float32)
        scores: NDArray[np.float32] = seen @ self._weights
        return scores
