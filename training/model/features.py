"""Features of movies, users and times beside their ids, as arrays of feature rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from service.bundle.candidate_encoding import title_words
from training.data.table import MovieTable, UserFeature


@dataclass(frozen=True, eq=False)
class FeatureBags:
    """A bag of weighted features for each of `n` movies or users, as rows of one embedding table.

    Attributes:
        rows: int32 `[n, width]`, padded with `NO_ROW`.
        weights: float32 `[n, width]`; 0 where padded.
        names: Name of each row of the table.
    """

    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    names: tuple[str, ...]

    @classmethod
    def from_groups(cls, groups: Sequence[Sequence[Sequence[str]]], *, power: float = 0.5) -> FeatureBags:
        """Build bags from groups of features of one kind.

        Args:
            groups: For each of `n` movies or users a sequence of groups of names.
            power: Within a group of m names each weighs m^-power: 1 / sqrt(m), so that a group's sum keeps
                its scale for any number of names, or with 1 their mean.
        """
        names: dict[str, int] = {}
        bags = [
            [
                (names.setdefault(name, len(names)), float(len(group)) ** -power)
                for group in groups_of_one
                for name in group
            ]
            for groups_of_one in groups
        ]
        width = max(1, max(map(len, bags), default=0))
        rows = np.full((len(bags), width), NO_ROW, np.int32)
        weights = np.zeros((len(bags), width), np.float32)
        for at, bag in enumerate(bags):
            if bag:
                rows[at, : len(bag)], weights[at, : len(bag)] = zip(*bag, strict=True)
        return cls(rows, weights, tuple(names))


def candidate_content(movies: MovieTable, max_title_words: int) -> FeatureBags:
    """Build bags of genres, title words, year, half-decade and further features of every movie.

    A word, a genre or a year of only one movie adds nothing to the movie's id, and is left out.

    Args:
        movies: Every candidate.
        max_title_words: The most frequent words are kept, as the deep retrieval tutorial keeps 10,000.
    """
    further = [
        [f"{name}:{value}" for name, values in movies.features.items() for value in values[row]]
        for row in range(len(movies))
    ]
    frequent_further = _shared(further)
    words = [title_words(title) for title in movies.titles]
    genres = [[f"genre:{genre}" for genre in of_movie] for of_movie in movies.genres]
    years = [
        [] if year == 0 else [f"year:{year}", f"half-decade:{year // 5 * 5}"]
        for year in movies.years.tolist()
    ]
    frequent_words = _shared(words, most=max_title_words)
    frequent_years, frequent_genres = _shared(years), _shared(genres)
    return FeatureBags.from_groups(
        [
            (
                [f"word:{word}" for word in words[row] if word in frequent_words],
                [genre for genre in genres[row] if genre in frequent_genres],
                [value for value in further[row] if value in frequent_further],
                *([year] for year in years[row] if year in frequent_years),
            )
            for row in range(len(movies))
        ]
    )


def user_content(features: dict[str, UserFeature], table_rows: NDArray[np.int32]) -> FeatureBags:
    """Build bags of the users' features, such as 'occupation:writer'; empty where the data has none."""
    columns = {
        name: [feature.vocabulary[code] if code >= 0 else None for code in feature.codes[table_rows].tolist()]
        for name, feature in features.items()
    }
    return FeatureBags.from_groups(
        [
            [[f"{name}:{values[row]}"] for name, values in columns.items() if values[row] is not None]
            for row in range(len(table_rows))
        ]
    )


def time_boundaries(timestamps: NDArray[np.int64], buckets: int) -> NDArray[np.int64]:
    """Return at most `buckets` - 1 ascending int64 boundaries between quantile buckets of training times."""
    inner = np.linspace(0, 1, buckets + 1)[1:-1]
    return np.unique(np.quantile(timestamps, inner, method="nearest").astype(np.int64))


def _shared(bags: Iterable[Iterable[str]], most: int | None = None) -> set[str]:
    counts = Counter(name for bag in bags for name in set(bag))
    kept = sorted(
        (name for name, count in counts.items() if count > 1), key=lambda name: (-counts[name], name)
    )
    return set(kept[:most])
