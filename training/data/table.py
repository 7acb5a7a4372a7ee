"""Ratings and movies as columns, the data structure of the whole pipeline."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.column_storage import Allocate, in_memory
from training.data.user_blocks import user_blocks

_HASHED_ROWS = 1_000_000
"""At once: all columns of many ratings in another order would take hundreds of megabytes."""


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
        years: Years of release, 0 if unknown; int32, shape [num_movies].
        features: Further content features by name, such as 'author': the values of each movie, possibly none.
    """

    movie_ids: tuple[str, ...]
    titles: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    years: NDArray[np.int32]
    features: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

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

    A row is a watch, with or without a rating.

    Attributes:
        user_rows: Positions in `user_ids`; int32, shape [num_ratings].
        movie_rows: Positions in `movies`; int32, shape [num_ratings].
        stars: Ratings, NaN where the user did not rate; float32, shape [num_ratings].
        weights: How much a row counts as a watch, 1 by default; float32 above 0, shape [num_ratings].
        timestamps: Unix seconds, `NO_TIMESTAMP` in every row without `has_times`; int64, shape [num_ratings].
        has_times: Whether timestamps say which of a user's ratings came first, see `assemble_ratings`.
        user_ids: Users with a rating, in `id_order`.
        movies: The candidates.
        user_features: Features by name ('gender', 'age', 'occupation'); empty if the data has none.
        name: Name of the data set, such as 'movielens/100k' or the base name of a path.
        source: Description of where the rows came from.
        num_replaced: Number of ratings dropped because the user rated the movie again later.
        allocate: Makes the columns of what is made of this table.
    """

    user_rows: NDArray[np.int32]
    movie_rows: NDArray[np.int32]
    stars: NDArray[np.float32]
    weights: NDArray[np.float32]
    timestamps: NDArray[np.int64]
    has_times: bool
    user_ids: tuple[str, ...]
    movies: MovieTable
    user_features: dict[str, UserFeature]
    name: str
    source: str
    num_replaced: int
    allocate: Allocate = in_memory

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
    def num_rating_users(self) -> int:
        """Number of users with a row here."""
        return len(np.unique(self.user_rows))

    @property
    def num_movies(self) -> int:
        """Number of candidates, rated or not."""
        return len(self.movies)

    @cached_property
    def is_rated(self) -> NDArray[np.bool_]:
        """Which rows have a rating; bool, shape [num_ratings]."""
        return ~np.isnan(self.stars)

    @property
    def rating_scale(self) -> tuple[float, float] | None:
        """Smallest and largest rating, with the decimals of the data: 0.1, not 0.10000000149; or None."""
        stars = self.stars[self.is_rated]
        return (float(str(stars.min())), float(str(stars.max()))) if len(stars) else None

    @property
    def time_range(self) -> tuple[int, int] | None:
        """First and last timestamp, in Unix seconds; None without times, or without rows."""
        if not self.has_times or not len(self):
            return None
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
        columns: dict[str, Any] = {}
        for name in ("user_rows", "movie_rows", "stars", "weights", "timestamps"):
            values = getattr(self, name)
            columns[name] = self.allocate(len(rows), values.dtype)
            if len(rows):
                values.take(rows, out=columns[name], mode="wrap")  # as indexing does; "raise" would copy
        return dataclasses.replace(self, **columns)

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: ratings, weights, movies and features.

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
        _update_with_text(digest, sorted(self.movies.features.items()))
        order = self._order_by_pair()
        columns = (
            (self._pairs, "<i8"),
            (self.stars.__getitem__, "<f4"),
            (self.weights.__getitem__, "<f4"),
            (self.timestamps.__getitem__, "<i8"),
        )
        for values_of, dtype in columns:
            for start in range(0, len(order), _HASHED_ROWS):
                values = values_of(order[start : start + _HASHED_ROWS])
                digest.update(values.astype(dtype, copy=False).tobytes())
        return digest.hexdigest()

    def _pairs(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number for the user and the movie of each of these rows."""
        pairs: NDArray[np.int64] = self.user_rows[rows].astype(np.int64) * self.num_movies
        return pairs + self.movie_rows[rows]

    def _order_by_pair(self) -> NDArray[np.int64]:
        """Places of the rows by user and movie; int64, shape [num_ratings]."""
        order, done = np.empty(len(self), np.int64), 0
        for rows in user_blocks(self.user_rows, np.arange(self.num_users, dtype=np.int32), self.num_users):
            by_pair = np.lexsort((self.movie_rows[rows], self.user_rows[rows]))
            order[done : done + len(rows)] = rows[by_pair]
            done += len(rows)
        return order


def tie_order(user_rows: NDArray[np.int32], movie_rows: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Return numbers that order ratings of equal time: fixed, but without regard to the order of ids.

    The finalizer of SplitMix64 (Steele et al. 2014, doi 10.1145/2660193.2660195) of both rows, so that no
    model learns from the order of a tie, as it would from the order of movie rows.

    Args:
        user_rows: int32, shape [n].
        movie_rows: int32, shape [n].

    Returns:
        uint64, shape [n]; distinct for distinct pairs.
    """
    mixed = (user_rows.astype(np.uint64) << np.uint64(32)) | movie_rows.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _update_with_text(digest: hashlib._Hash, parts: Iterable[object]) -> None:
    for part in parts:
        digest.update(json.dumps(part, ensure_ascii=True).encode() + b"\n")
