"""Ratings and movies as columns, the data structure of the whole pipeline."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


def id_order(ids: Sequence[str]) -> NDArray[np.int64]:
    """Return the positions that sort ids: by value if all are integers, else as text.

    Vocabularies have this order for every source, so that the same data gives the same rows.

    Args:
        ids: External ids, shape [n].

    Returns:
        Positions into `ids`, shape [n]; equal ids keep their order.
    """
    if all(one.isascii() and one.isdecimal() for one in ids):
        return np.array(sorted(range(len(ids)), key=lambda row: int(ids[row])), np.int64)
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), np.int64)


@dataclass(frozen=True, eq=False)
class MovieTable:
    """The candidates: every movie of the movie file, rated or not.

    Attributes:
        movie_ids: External ids in `id_order`, shape [num_movies].
        titles: Titles with the year, such as 'Dances with Wolves (1990)'.
        genres: Genres of each movie, possibly none.
        years: Years of release parsed from the titles, 0 if unknown; int32, shape [num_movies].
    """

    movie_ids: tuple[str, ...]
    titles: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    years: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.movie_ids)


@dataclass(frozen=True, eq=False)
class UserFeature:
    """A categorical feature of the users, such as the occupation.

    Attributes:
        vocabulary: Its distinct values in `id_order`.
        codes: Position in `vocabulary` of each user, -1 if missing; int32, shape [num_users].
    """

    vocabulary: tuple[str, ...]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, values: Sequence[str]) -> UserFeature:
        """Encode a feature.

        Args:
            values: One for each user, empty if missing; shape [num_users].
        """
        distinct = sorted(set(values) - {""})
        vocabulary = tuple(distinct[row] for row in id_order(distinct))
        code_of = {value: code for code, value in enumerate(vocabulary)}
        codes = np.fromiter((code_of.get(value, -1) for value in values), np.int32, len(values))
        return cls(vocabulary, codes)


@dataclass(frozen=True, eq=False)
class RatingsTable:
    """Ratings by column, each (user, movie) pair at most once.

    Attributes:
        user_rows: Positions in `user_ids`; int32, shape [num_ratings].
        movie_rows: Positions in `movies`; int32, shape [num_ratings].
        stars: Ratings; float32, shape [num_ratings].
        timestamps: Unix seconds; int64, shape [num_ratings].
        user_ids: Users with a rating, in `id_order`.
        movies: The candidates.
        user_features: Features by name ('gender', 'age', 'occupation'); empty if the data has none.
        name: Name of the data set, such as 'movielens/100k' or the base name of a path.
        source: Description of where the rows came from.
        num_replaced: Number of ratings dropped because the user rated the movie again later.
    """

    user_rows: NDArray[np.int32]
    movie_rows: NDArray[np.int32]
    stars: NDArray[np.float32]
    timestamps: NDArray[np.int64]
    user_ids: tuple[str, ...]
    movies: MovieTable
    user_features: dict[str, UserFeature]
    name: str
    source: str
    num_replaced: int

    def __len__(self) -> int:
        return len(self.user_rows)

    @property
    def num_ratings(self) -> int:
        """Number of rows."""
        return len(self.user_rows)

    @property
    def num_users(self) -> int:
        """Number of users in the vocabulary, with or without a row here."""
        return len(self.user_ids)

    @property
    def num_movies(self) -> int:
        """Number of candidates, rated or not."""
        return len(self.movies)

    @property
    def rating_scale(self) -> tuple[float, float]:
        """Smallest and largest rating, as decimals of the data: 0.1, not 0.10000000149.

        Raises:
            ValueError: There are no rows.
        """
        return float(str(self.stars.min())), float(str(self.stars.max()))

    @property
    def time_range(self) -> tuple[int, int]:
        """First and last timestamp, in Unix seconds.

        Raises:
            ValueError: There are no rows.
        """
        return int(self.timestamps.min()), int(self.timestamps.max())

    @cached_property
    def movie_counts(self) -> NDArray[np.int64]:
        """Ratings of each movie; int64, shape [num_movies]."""
        return np.bincount(self.movie_rows, minlength=self.num_movies)

    def take(self, rows: NDArray[np.int64]) -> RatingsTable:
        """Select rows, in the given order, with the same vocabularies.

        Args:
            rows: Positions of ratings, shape [n].
        """
        return dataclasses.replace(
            self,
            user_rows=self.user_rows[rows],
            movie_rows=self.movie_rows[rows],
            stars=self.stars[rows],
            timestamps=self.timestamps[rows],
        )

    def sha256(self) -> str:
        """Hash the content: ratings, movies and user features.

        The hash does not depend on the name, the source or the order of the rows.
        """
        digest = hashlib.sha256()
        features = {
            name: (feature.vocabulary, feature.codes.tolist()) for name, feature in self.user_features.items()
        }
        _update_with_text(
            digest, (self.user_ids, self.movies.movie_ids, self.movies.titles, self.movies.genres)
        )
        _update_with_text(digest, sorted(features.items()))
        pairs = self.user_rows.astype(np.int64) * self.num_movies + self.movie_rows
        order = np.argsort(pairs, kind="stable")
        for column, dtype in ((pairs, "<i8"), (self.stars, "<f4"), (self.timestamps, "<i8")):
            digest.update(column[order].astype(dtype, copy=False).tobytes())
        return digest.hexdigest()


def _update_with_text(digest: hashlib._Hash, parts: Iterable[object]) -> None:
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=True).encode() + b"\n")
