"""User ids in UTF-8, one after another, ascending by their bytes: from a row to an id and back."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

_CACHED_IDS = 20_000
"""Users whose rows are cached, about 200 bytes each."""


class UserIds:
    """The ids of all users, by user row.

    Args:
        text: uint8, all ids.
        offsets: int64 `[num_users + 1]` into it.
    """

    def __init__(self, text: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self._id_at = id_at = partial(_id_at, text, offsets)
        self._num_users = len(offsets) - 1
        # Not of a method, which would be a cycle: mapped files must close with the last reference to this.
        self._row_of = lru_cache(_CACHED_IDS)(partial(_row_of, id_at, self._num_users))

    def id_of(self, user_row: int) -> str:
        """The id of the user of this row."""
        return self._id_at(user_row).decode()

    def row_of(self, user_id: str) -> int | None:
        """The position of a user, or None for an unknown user."""
        return self._row_of(user_id)

    def rows_beginning(self, prefix: str) -> range:
        """The users whose ids begin like this, in the order of their ids' bytes."""
        wanted = prefix.encode()
        # No byte of UTF-8 is as large as 0xff.
        first, end = (
            bisect_left(range(self._num_users), bound, key=self._id_at)
            for bound in (wanted, wanted + b"\xff")
        )
        return range(first, end)


def _id_at(text: NDArray[np.uint8], offsets: NDArray[np.int64], user_row: int) -> bytes:
    start, end = offsets[user_row : user_row + 2]
    return text[start:end].tobytes()


def _row_of(id_at: Callable[[int], bytes], num_users: int, user_id: str) -> int | None:
    """By halves, over the sorted ids: 20 of them for a million users."""
    wanted = user_id.encode()
    row = bisect_left(range(num_users), wanted, key=id_at)
    return row if row < num_users and id_at(row) == wanted else None
