"""EASE: each movie regressed on the others, in closed form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.model.histories import Histories

EASE_MAX_CANDIDATES = 20_000
"""EASE inverts a matrix of candidates x candidates in float64: 3.2 GB and some minutes at this size."""


class Ease:
    """Embarrassingly shallow autoencoder (Steck 2019, arXiv:1905.03375), its closed form.

    B = I - P / diag(P) with P = (X'X + lambda I)^-1; a user's scores are X_u B.
    """

    def __init__(self, histories: Histories, num_candidates: int, regularization: float = 300.0) -> None:
        self._histories = histories
        self._num_candidates = num_candidates
        gram = regularization * np.eye(num_candidates)
        for start in range(0, len(histories), 512):
            seen = self._seen(np.arange(start, min(start + 512, len(histories)), dtype=np.int32))
            gram += seen.T @ seen
        inverse = np.linalg.inv(gram)
        self._weights = (-inverse / np.diag(inverse)).astype(np.float32)
        np.fill_diagonal(self._weights, 0)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `[B, C]` for int32 `[B]` users; zeros for strangers."""
        return self._seen(user_rows) @ self._weights

    def _seen(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        seen = np.zeros((len(user_rows), self._num_candidates), np.float32)
        for at, user in enumerate(user_rows.tolist()):
            if user >= 0:
                seen[at, self._histories.movie_rows[self._histories.rows_of(user)]] = 1
        return seen
