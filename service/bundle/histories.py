"""`histories/`: what each user rated, oldest first, as compressed rows (CSR), memory-mapped.

histories/user_id_bytes.npy    uint8, all user ids in UTF-8, one after another
histories/user_id_offsets.npy  int64 `[num_users + 1]` into it; ids ascend by their bytes
histories/offsets.npy          int64 `[num_users + 1]` into the arrays below
histories/movie_rows.npy       int32 `[num_ratings]`, candidate rows
histories/ratings.npy          float32 `[num_ratings]`, stars
histories/timestamps.npy       int64 `[num_ratings]`, Unix seconds, ascending by user

A user's position in them is the user row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle.array_files import open_array, write_array
from service.bundle.user_ids import UserIds
from service.errors import BundleInconsistent, UnknownUser

_DTYPES: dict[str, type[np.generic]] = {
    "user_id_bytes": np.uint8,
    "user_id_offsets": np.int64,
    "offsets": np.int64,
    "movie_rows": np.int32,
    "ratings": np.float32,
    "timestamps": np.int64,
}
HISTORY_ARRAYS = {name: f"histories/{name}.npy" for name in _DTYPES}
FILES = tuple(HISTORY_ARRAYS.values())


@dataclass(slots=True)
class History:
    """Movies that one user saw, oldest first.

    Attributes:
        rows: int32 `[n]`, candidate rows.
        ratings: float32 `[n]`, stars; NaN where not rated.
        timestamps: int64 `[n]`, Unix seconds; `NO_TIMESTAMP` where not known.
    """

    rows: NDArray[np.int32]
    ratings: NDArray[np.float32]
    timestamps: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, later: History) -> History:
        return History(
            np.concatenate([self.rows, later.rows]),
            np.concatenate([self.ratings, later.ratings]),
            np.concatenate([self.timestamps, later.timestamps]),
        )

    @property
    def given(self) -> NDArray[np.float32]:
        """float32: the stars of those movies that have any."""
        return self.ratings[~np.isnan(self.ratings)]

    @property
    def mean_rating(self) -> float | None:
        """Mean stars, None where there are none."""
        given = self.given
        return float(given.mean(dtype=np.float64)) if len(given) else None

    def last(self, length: int) -> History:
        """The most recent `length` movies."""
        return self.take(slice(max(len(self) - length, 0), None))

    def take(self, places: slice | NDArray[np.bool_] | NDArray[np.intp]) -> History:
        """The movies at these places, in their order."""
        return History(self.rows[places], self.ratings[places], self.timestamps[places])


class Histories:
    """The histories of all users. Made by `open`.

    Attributes:
        mean_ratings: float64 `[num_candidates]`, mean stars of each movie, NaN where no user did.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], mean_ratings: NDArray[np.float64]) -> None:
        self._user_ids = UserIds(arrays["user_id_bytes"], arrays["user_id_offsets"])
        self._offsets = arrays["offsets"]
        self._whole = History(arrays["movie_rows"], arrays["ratings"], arrays["timestamps"])
        self.mean_ratings = mean_ratings

    @staticmethod
    def write(directory: Path, user_ids: Sequence[str], offsets: NDArray[np.int64], ratings: History) -> None:
        """Write the arrays.

        Args:
            directory: The bundle.
            user_ids: By user row.
            offsets: int64 `[num_users + 1]`, where each user's ratings begin and the last one's end.
            ratings: Of all users one after another, without gaps.

        Raises:
            ValueError: The ids do not ascend by their UTF-8 bytes, or one is there twice.
            OSError: A file cannot be written.
        """
        ids = [user_id.encode() for user_id in user_ids]
        if not all(former < latter for former, latter in pairwise(ids)):
            raise ValueError("expected user ids that ascend by their UTF-8 bytes, each once; sort them")
        arrays: dict[str, NDArray[Any]] = {
            "user_id_bytes": np.frombuffer(b"".join(ids), np.uint8),
            "user_id_offsets": np.cumsum([0, *map(len, ids)], dtype=np.int64),
            "offsets": offsets,
            "movie_rows": ratings.rows,
            "ratings": ratings.ratings,
            "timestamps": ratings.timestamps,
        }
        for name, array in arrays.items():
            write_array(directory / HISTORY_ARRAYS[name], array, _DTYPES[name])

    @classmethod
    def open(cls, directory: Path, num_candidates: int) -> Histories:
        """Map the arrays.

        Args:
            directory: The bundle.
            num_candidates: Rows of the catalogue, which the histories may point to.

        Raises:
            BundleUnreadable: An array is missing or may not be read.
            BundleInconsistent: Arrays of another type or shape, or that disagree with each other.
        """
        arrays = {
            name: open_array(directory / path, _DTYPES[name], dimensions=1)
            for name, path in HISTORY_ARRAYS.items()
        }
        _check(directory, arrays, num_candidates)
        return cls(arrays, _means(arrays["movie_rows"], arrays["ratings"], num_candidates))

    def __len__(self) -> int:
        """Number of users."""
        return len(self._offsets) - 1

    @property
    def num_ratings(self) -> int:
        """Number of movies in all histories together."""
        return len(self._whole)

    def user_row(self, user_id: str) -> int | None:
        """The position of a user, or None for an unknown user."""
        return self._user_ids.row_of(user_id)

    def rows_beginning(self, prefix: str) -> range:
        """The users whose ids begin like this, in the order of their ids' bytes."""
        return self._user_ids.rows_beginning(prefix)

    def user_id_of(self, user_row: int) -> str:
        """The id of the user of this row."""
        return self._user_ids.id_of(user_row)

    def of_known_user(self, user_id: str) -> History:
        """Everything that the user of this id rated; views, not copies.

        Raises:
            UnknownUser: The bundle does not know the user.
        """
        user_row = self.user_row(user_id)
        if user_row is None:
            raise UnknownUser(
                f"no user has the id {user_id!r}; expected one whose ratings this bundle was trained on",
                field="user_id",
            )
        return self.of_user(user_row)

    def of_user(self, user_row: int) -> History:
        """Everything the user of this row rated; views, not copies."""
        start, end = self._offsets[user_row : user_row + 2]
        whole = self._whole
        return History(whole.rows[start:end], whole.ratings[start:end], whole.timestamps[start:end])

    def lengths(self, user_rows: NDArray[np.int64], longest: int) -> NDArray[np.int64]:
        """int64 `[n]`: movies of each user's history, at most `longest`."""
        lengths: NDArray[np.int64] = self._offsets[user_rows + 1] - self._offsets[user_rows]
        return np.minimum(lengths, longest)

    def of_users(
        self, user_rows: NDArray[np.int64], longest: int | None = None
    ) -> tuple[NDArray[np.int64], History]:
        """Histories of many users one after another, without a Python object for each.

        Args:
            user_rows: int64 `[n]`.
            longest: Most movies of each, the most recent ones; None: all.

        Returns:
            Their lengths, int64 `[n]`, and a copy of the movies, `[sum of lengths]`.
        """
        starts, ends = self._offsets[user_rows], self._offsets[user_rows + 1]
        if longest is not None:
            starts = np.maximum(starts, ends - longest)
        lengths = ends - starts
        firsts = np.cumsum(lengths) - lengths
        places = np.repeat(starts - firsts, lengths) + np.arange(int(lengths.sum()))
        return lengths, self._whole.take(places)


def _check(directory: Path, arrays: Mapping[str, NDArray[Any]], num_candidates: int) -> None:
    rows, offsets, where = arrays["movie_rows"], arrays["offsets"], directory / HISTORY_ARRAYS["offsets"]
    lengths = {len(rows), len(arrays["ratings"]), len(arrays["timestamps"])}
    if len(lengths) != 1 or len(offsets) != len(arrays["user_id_offsets"]) or len(offsets) < 2:
        raise BundleInconsistent(f"{where}: history arrays differ in length or are empty; export again")
    ends = ((offsets, len(rows)), (arrays["user_id_offsets"], len(arrays["user_id_bytes"])))
    for each, end in ends:
        if each[0] != 0 or each[-1] != end or np.any(np.diff(each) < 0):
            raise BundleInconsistent(
                f"{where}: expected offsets rising from 0 to {end}, got {each[0]} to {each[-1]}; export again"
            )
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < num_candidates:
        raise BundleInconsistent(
            f"{directory / HISTORY_ARRAYS['movie_rows']}: expected rows from 0 to {num_candidates - 1}, got "
            f"{rows.min()} to {rows.max()}; export again"
        )


def _means(
    movie_rows: NDArray[np.int32],
    ratings: NDArray[np.float32],
    num_candidates: int,
    *,
    slice_length: int = 1_000_000,
) -> NDArray[np.float64]:
    """Mean stars by candidate row, summed in slices: a copy of all ratings would be many times the means."""
    sums, counts = np.zeros(num_candidates), np.zeros(num_candidates, np.int64)
    for start in range(0, len(ratings), slice_length):
        stars = ratings[start : start + slice_length]
        rated = ~np.isnan(stars)
        rows = movie_rows[start : start + slice_length][rated]
        sums += np.bincount(rows, weights=stars[rated], minlength=num_candidates)
        counts += np.bincount(rows, minlength=num_candidates)
    means: NDArray[np.float64] = np.divide(
        sums, counts, out=np.full(num_candidates, np.nan), where=counts > 0
    )
    return means
