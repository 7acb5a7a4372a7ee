"""Biases of users and movies: how far above the mean they rate and are rated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable

MOVIE_REGULARIZATION, USER_REGULARIZATION = 10.0, 15.0
_ROUNDS = 10


class RatingBiases(NamedTuple):
    """A rating is about mean + user's bias + movie's bias, all in stars.

    Attributes:
        mean: Of all ratings; 0 without any.
        users: float64 `[num_users]`, 0 without ratings.
        movies: float64 `[num_movies]`, 0 without ratings.
    """

    mean: float
    users: NDArray[np.float64]
    movies: NDArray[np.float64]

    def predict(self, table: RatingsTable, scale: tuple[float, float] | None) -> NDArray[np.float64]:
        """Predict stars of each row of a table, float64 `[n]`, clipped to the scale."""
        predicted = self.mean + self.users[table.user_rows] + self.movies[table.movie_rows]
        return np.clip(predicted, *(scale or (0.0, 0.0)))


def fit_biases(
    table: RatingsTable,
    *,
    movie_regularization: float = MOVIE_REGULARIZATION,
    user_regularization: float = USER_REGULARIZATION,
) -> RatingBiases:
    """Fit biases by alternating least squares to the rows that are rated.

    Regularised as in Koren 2010 (doi 10.1145/1644873.1644874, section 2.1): 10 for movies, 15 for users,
    10 rounds, Surprise's `BaselineOnly` likewise.

    Args:
        table: Ratings.
        movie_regularization: Added to the number of each movie's ratings, by which its sum is divided.
        user_regularization: Likewise of users.
    """
    rated = table.is_rated
    users, movies, stars = table.user_rows[rated], table.movie_rows[rated], table.stars[rated]
    of_users, of_movies = np.zeros(table.num_users), np.zeros(table.num_movies)
    if not len(stars):
        return RatingBiases(0.0, of_users, of_movies)
    mean = float(stars.mean(dtype=np.float64))
    user_counts = np.bincount(users, minlength=table.num_users) + user_regularization
    movie_counts = np.bincount(movies, minlength=table.num_movies) + movie_regularization
    centred = stars.astype(np.float64) - mean
    for _ in range(_ROUNDS):
        of_movies = np.bincount(movies, centred - of_users[users], minlength=table.num_movies) / movie_counts
        of_users = np.bincount(users, centred - of_movies[movies], minlength=table.num_users) / user_counts
    return RatingBiases(mean, of_users, of_movies)
