"""What lists of ten recommend, whatever users watched: how much of the catalogue, how new, how diverse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.data.table import MovieTable
from training.model.histories import Histories

LIST_LENGTH = 10

LIST_MEASURES = {
    "coverage": "coverage of the catalogue",
    "novelty": "novelty, bits",
    "gini": "Gini of recommendations",
    "diversity": "diversity of a list's genres",
}
"""Printed names, in the order of every table."""


class RecommendedLists:
    """Accumulates lists, in memory of the size of the catalogue.

    Args:
        histories: Of the training rows.
        movies: With the genres.
    """

    def __init__(self, histories: Histories, movies: MovieTable) -> None:
        self._counts = np.zeros(len(movies), np.int64)
        # One more user and one more rating each, so that an unrated movie's information is finite.
        shares = (histories.movie_counts + 1) / (len(histories) + 1)
        self._information = -np.log2(shares)
        self._genres = _one_hot(movies)
        self._distances, self._lists_with_genres = 0.0, 0

    def update(self, scores: NDArray[np.float32], seen: Sequence[NDArray[np.int32]]) -> None:
        """Add lists of users.

        Args:
            scores: float32 `[B, C]`.
            seen: Of each user the candidates to exclude.
        """
        for movies in first_movies(scores, seen):
            self._counts[movies] += 1
            distance = self._mean_distance(movies)
            if distance is not None:
                self._distances += distance
                self._lists_with_genres += 1

    def merge(self, others: RecommendedLists) -> None:
        """Add the lists of other users, of the same histories and movies."""
        self._counts += others._counts
        self._distances += others._distances
        self._lists_with_genres += others._lists_with_genres

    def result(self) -> dict[str, float]:
        """Return the measures of docs/evaluation.md by name; without genres there is no diversity."""
        total = int(self._counts.sum())
        if not total:
            return {}
        found = {
            "coverage": float(np.mean(self._counts > 0)),
            "novelty": float(self._counts @ self._information / total),
            "gini": gini(self._counts),
        }
        if self._lists_with_genres:
            found["diversity"] = self._distances / self._lists_with_genres
        return found

    def _mean_distance(self, movies: NDArray[np.int64]) -> float | None:
        """Mean of 1 - |shared genres| / |genres of either| over pairs that have genres; None without one."""
        genres = self._genres[movies]
        genres = genres[genres.any(axis=1)]
        if len(genres) < 2:
            return None
        shared = genres @ genres.T
        sizes = genres.sum(axis=1)
        pairs = np.triu_indices(len(genres), 1)
        either = sizes[pairs[0]] + sizes[pairs[1]] - shared[pairs]
        return float(np.mean(1 - shared[pairs] / either))


def first_movies(
    scores: NDArray[np.float32], seen: Sequence[NDArray[np.int32]], length: int = LIST_LENGTH
) -> list[NDArray[np.int64]]:
    """Return each user's best candidates without the seen ones, best first; fewer where fewer are left.

    Args:
        scores: float32 `[B, C]`.
        seen: Of each user the candidates to exclude.
        length: Of a list.
    """
    left = np.where(np.isnan(scores), -np.inf, scores)
    for at, movies in enumerate(seen):
        left[at, movies] = -np.inf
    last = left.shape[1] - min(length, left.shape[1])
    lists = []
    for of_user, least in zip(left, np.partition(left, last, axis=1)[:, last], strict=True):
        found = np.flatnonzero((of_user >= least) & (of_user > -np.inf))
        lists.append(found[np.argsort(-of_user[found], kind="stable")][:length])
    return lists


def gini(counts: NDArray[np.int64]) -> float:
    """Gini index of how recommendations are spread over the catalogue: 0 evenly, near 1 on one movie.

    With the C counts in ascending order: sum((2 i - C - 1) count_i) / (C sum(count)), i from 1.
    """
    ascending, number = np.sort(counts), len(counts)
    weights = 2 * np.arange(1, number + 1) - number - 1
    return float(weights @ ascending / (number * ascending.sum()))


def _one_hot(movies: MovieTable) -> NDArray[np.float32]:
    """float32 `[C, G]`, 1 where a movie has a genre."""
    names = dict.fromkeys(genre for of_movie in movies.genres for genre in of_movie)
    column = {genre: at for at, genre in enumerate(names)}
    genres = np.zeros((len(movies), len(column)), np.float32)
    for row, of_movie in enumerate(movies.genres):
        genres[row, [column[genre] for genre in of_movie]] = 1
    return genres
