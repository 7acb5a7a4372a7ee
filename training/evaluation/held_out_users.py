"""Users with held-out rows, in groups, and the movies of their histories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.model.histories import Histories

_MOST_USERS_AT_ONCE = 256
_MOST_SCORES_AT_ONCE = 2**25  # 128 MiB


def users_at_once(num_candidates: int) -> int:
    """Users of a group, whose scores are in memory together."""
    return min(_MOST_USERS_AT_ONCE, max(1, _MOST_SCORES_AT_ONCE // num_candidates))


def number_of_users(most_scores: int, bounds: tuple[int, int], num_candidates: int) -> int:
    """Users all of whose scores are about `most_scores` at most, within bounds."""
    least, most = bounds
    return min(most, max(least, most_scores // num_candidates))


def held_out_users(
    histories: Histories, test: RatingsTable
) -> Iterator[tuple[NDArray[np.int32], list[NDArray[np.int64]]]]:
    """Yield groups of users: their rows in the histories, int32 `[B]`, and each one's rows of `test`."""
    order = np.argsort(test.user_rows, kind="stable")
    counts = np.bincount(test.user_rows, minlength=test.num_users)
    users = np.flatnonzero(counts)
    ends = np.cumsum(counts[users])
    known = histories.positions(test.num_users)[users]
    at_once = users_at_once(histories.num_candidates)
    for start in range(0, len(users), at_once):
        group = ends[start : start + at_once]
        first = ends[start - 1] if start else 0
        yield known[start : start + at_once], np.split(order[first : group[-1]], group[:-1] - first)


def padded_movies(test: RatingsTable, rows_of_users: list[NDArray[np.int64]]) -> NDArray[np.int32]:
    """Return each user's test movies, int32 `[B, widest]`, padded with movie 0."""
    movies = np.zeros((len(rows_of_users), max(len(rows) for rows in rows_of_users)), np.int32)
    for at, rows in enumerate(rows_of_users):
        movies[at, : len(rows)] = test.movie_rows[rows]
    return movies


def seen_movies(histories: Histories, user_rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Mark the movies of each user's history, bool `[B, C]`; none for `NO_ROW`."""
    seen = np.zeros((len(user_rows), histories.num_candidates), np.bool_)
    for at, user in enumerate(user_rows.tolist()):
        if user >= 0:
            seen[at, histories.movie_rows[histories.rows_of(user)]] = True
    return seen
