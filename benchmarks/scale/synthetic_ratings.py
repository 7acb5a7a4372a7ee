"""Make ratings of realistic size and popularity, with preferences that a model can learn.

As in MovieLens 25M: few movies have most of the ratings, users rate 20 to some thousand movies, mostly within
days, half stars. Each movie belongs to a group, and each user draws most movies from a few groups.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

_GROUPS, _GROUPS_OF_A_USER = 60, 6
_OF_OWN_GROUPS = 0.6  # of a user's ratings
_HEAD, _POWER = 200, 1.6  # of the popularity (rank + head)^-power
_LEAST_RATINGS = 20
_SPREAD_OF_ACTIVITY = 1.1  # standard deviation of the log of a user's ratings
_FIRST_SECOND, _YEARS = 1_000_000_000, 20
_SECONDS_PER_YEAR = 31_557_600
_MORE = 1.4  # drawn, for repeats are dropped


def write_ratings(directory: Path, *, ratings: int, users: int, movies: int, seed: int = 0) -> None:
    """Write `ratings.csv` and `movies.csv` as MovieLens 25M has them.

    Args:
        directory: Made if it does not exist.
        ratings: About how many.
        users: Users.
        movies: Movies, some of them without a rating.
        seed: Of all draws.
    """
    random = np.random.default_rng(seed)
    directory.mkdir(parents=True, exist_ok=True)
    group = random.integers(0, _GROUPS, movies)
    _write_movies(directory / "movies.csv", group, random)
    user_rows, movie_rows, is_own = _draw_pairs(group, ratings, users, random)
    columns = {
        "userId": user_rows + 1,
        "movieId": movie_rows + 1,
        "rating": _draw_stars(user_rows, movie_rows, is_own, random),
        "timestamp": _draw_times(user_rows, random),
    }
    csv.write_csv(pa.table(columns), directory / "ratings.csv")


def _write_movies(path: Path, group: NDArray[np.int64], random: np.random.Generator) -> None:
    years = random.integers(1930, 2020, len(group))
    words = random.integers(0, 20_000, (len(group), 2))
    lines = [
        f"{row + 1},Word{first} Word{second} ({year}),Genre{of % 20}|Genre{of % 7}"
        for row, ((first, second), year, of) in enumerate(
            zip(words.tolist(), years.tolist(), group.tolist(), strict=True)
        )
    ]
    path.write_text("\n".join(["movieId,title,genres", *lines, ""]), encoding="utf-8")


def _draw_pairs(
    group: NDArray[np.int64], ratings: int, users: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Distinct pairs by user, and whether each movie is of one of the user's groups."""
    popularity = random.permutation((np.arange(len(group)) + _HEAD) ** -_POWER)
    order = np.argsort(group, kind="stable")
    upto = np.cumsum(popularity[order])
    bounds = np.concatenate([[0], np.searchsorted(group[order], np.arange(1, _GROUPS + 1))])
    shares = np.concatenate([[0.0], upto])[bounds]
    activity = random.lognormal(0, _SPREAD_OF_ACTIVITY, users)
    activity *= (ratings - _LEAST_RATINGS * users) / activity.sum()
    drawn = ((activity + _LEAST_RATINGS) * _MORE).astype(np.int64)
    user_rows = np.repeat(np.arange(users), np.minimum(drawn, len(group) // 2))
    own = random.choice(_GROUPS, (users, _GROUPS_OF_A_USER), p=np.diff(shares) / shares[-1])
    of = own[user_rows, random.integers(0, _GROUPS_OF_A_USER, len(user_rows))]
    is_own = random.random(len(user_rows)) < _OF_OWN_GROUPS
    low, high = np.where(is_own, shares[of], 0), np.where(is_own, shares[of + 1], shares[-1])
    at = np.searchsorted(upto, low + random.random(len(user_rows)) * (high - low), side="right")
    movie_rows = order[np.minimum(at, len(group) - 1)]
    _, first = np.unique(user_rows * len(group) + movie_rows, return_index=True)
    return user_rows[first], movie_rows[first], is_own[first]


def _draw_stars(
    users: NDArray[np.int64],
    movies: NDArray[np.int64],
    is_own: NDArray[np.bool_],
    random: np.random.Generator,
) -> NDArray[np.float64]:
    of_users, of_movies = random.normal(0, 0.4, users.max() + 1), random.normal(0, 0.45, movies.max() + 1)
    exact = 3.4 + of_users[users] + of_movies[movies] + 0.3 * is_own + random.normal(0, 0.8, len(users))
    return np.asarray(np.clip(np.rint(2 * exact) / 2, 0.5, 5))


def _draw_times(users: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """Unix seconds: each user's ratings spread over a time of their own, of days or years."""
    count = users.max() + 1
    length = random.lognormal(np.log(60 * 86_400), 2.0, count)
    length = np.minimum(length, _YEARS * _SECONDS_PER_YEAR)
    first = _FIRST_SECOND + random.random(count) * (_YEARS * _SECONDS_PER_YEAR - length)
    times: NDArray[np.int64] = (first[users] + random.random(len(users)) * length[users]).astype(np.int64)
    return times
