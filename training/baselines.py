"""Specialists that every figure of ours is printed beside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.histories import Histories

EASE_MAX_CANDIDATES = 20_000
"""EASE inverts a matrix of candidates x candidates in float64: 3.2 GB and some minutes at this size."""


class Popularity:
    """Everybody gets the movies that most people rated."""

    def __init__(self, histories: Histories, num_candidates: int) -> None:
        counts = np.bincount(histories.movie_rows, minlength=num_candidates)
        self._scores = counts.astype(np.float32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 `[B, C]` for int32 `[B]` users."""
        return np.broadcast_to(self._scores, (len(user_rows), len(self._scores)))


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


class Biases:
    """mean + user's bias + movie's bias, fitted by alternating least squares.

    Regularised as in Koren 2010 (doi 10.1145/1644873.1644874, section 2.1): 10 for movies, 15 for users,
    10 rounds, Surprise's `BaselineOnly` likewise.
    """

    def __init__(
        self, table: RatingsTable, movie_regularization: float = 10, user_regularization: float = 15
    ):
        users, movies = table.user_rows, table.movie_rows
        self._mean = float(table.stars.mean(dtype=np.float64))
        self._scale = table.rating_scale
        self._users = np.zeros(table.num_users)
        self._movies = np.zeros(table.num_movies)
        user_counts = np.bincount(users, minlength=table.num_users) + user_regularization
        movie_counts = np.bincount(movies, minlength=table.num_movies) + movie_regularization
        centred = table.stars - self._mean
        for _ in range(10):
            rest = centred - self._users[users]
            self._movies = np.bincount(movies, rest, minlength=table.num_movies) / movie_counts
            rest = centred - self._movies[movies]
            self._users = np.bincount(users, rest, minlength=table.num_users) / user_counts

    def predict(self, test: RatingsTable) -> NDArray[np.float64]:
        """Stars of each row of `test`, float64 `[n]`, clipped to the scale."""
        predicted = self._mean + self._users[test.user_rows] + self._movies[test.movie_rows]
        return np.clip(predicted, *self._scale)
