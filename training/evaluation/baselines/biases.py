"""The bias baseline: ratings from the user's and the movie's mean deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable


class Biases:
    """mean + user's bias + movie's bias, fitted by alternating least squares.

    Regularised as in Koren 2010 (doi 10.1145/1644873.1644874, section 2.1): 10 for movies, 15 for users,
    10 rounds, Surprise's `BaselineOnly` likewise.
    """

    def __init__(
        self, table: RatingsTable, movie_regularization: float = 10, user_regularization: float = 15
    ):
        table = table.take(np.flatnonzero(table.is_rated))
        users, movies = table.user_rows, table.movie_rows
        self._mean = float(table.stars.mean(dtype=np.float64)) if len(table) else 0.0
        self._scale = table.rating_scale or (0.0, 0.0)
        self._users = np.zeros(table.num_users)
        self._movies = np.zeros(table.num_movies)
        user_counts = np.bincount(users, minlength=table.num_users) + user_regularization
        movie_counts = table.movie_counts + movie_regularization
        centred = table.stars - self._mean
        for _ in range(10):
            rest = centred - self._users[users]
            self._movies = np.bincount(movies, rest, minlength=table.num_movies) / movie_counts
            rest = centred - self._movies[movies]
            self._users = np.bincount(users, rest, minlength=table.num_users) / user_counts

    def predict(self, test: RatingsTable) -> NDArray[np.float64]:
        """Predict stars of each row of `test`, float64 `[n]`, clipped to the scale."""
        predicted = self._mean + self._users[test.user_rows] + self._movies[test.movie_rows]
        return np.clip(predicted, *self._scale)
