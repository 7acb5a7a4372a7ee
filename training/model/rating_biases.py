"""Biases of users and movies: how far above the mean they rate and are rated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable

MOVIE_REGULARIZATION, USER_REGULARIZATION = 10.0, 15.0
_ROUNDS = 10
_MOST_ROWS = 1_000_000


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
    of_users, of_movies = np.zeros(table.num_users), np.zeros(table.num_movies)
    if not table.is_rated.any():
        return RatingBiases(0.0, of_users, of_movies)
    mean = float(table.stars.mean(dtype=np.float64, where=table.is_rated))
    counts = np.zeros(table.num_users), np.zeros(table.num_movies)
    for users, movies, _ in _blocks(table):
        counts[0][:] += np.bincount(users, minlength=table.num_users)
        counts[1][:] += np.bincount(movies, minlength=table.num_movies)
    for _ in range(_ROUNDS):
        sums = np.zeros(table.num_movies)
        for users, movies, stars in _blocks(table):
            sums += np.bincount(movies, stars - mean - of_users[users], minlength=table.num_movies)
        of_movies = sums / (counts[1] + movie_regularization)
        sums = np.zeros(table.num_users)
        for users, movies, stars in _blocks(table):
            sums += np.bincount(users, stars - mean - of_movies[movies], minlength=table.num_users)
        of_users = sums / (counts[0] + user_regularization)
    return RatingBiases(mean, of_users, of_movies)


def _blocks(
    table: RatingsTable,
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]]:
    """Users, movies and stars of rated rows, in blocks: sums of all at once need several copies."""
    for start in range(0, len(table), _MOST_ROWS):
        rows = slice(start, start + _MOST_ROWS)
        rated = table.is_rated[rows]
        stars = table.stars[rows][rated].astype(np.float64)
        yield table.user_rows[rows][rated], table.movie_rows[rows][rated], stars
