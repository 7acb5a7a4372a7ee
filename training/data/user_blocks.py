"""Rows of ratings in blocks of whole users: what is sorted by user needs memory for one block only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_MOST_ROWS = 1_000_000


def user_blocks(
    user_rows: NDArray[np.int32], users: NDArray[np.int32], num_users: int, most_rows: int = _MOST_ROWS
) -> Iterator[NDArray[np.int64]]:
    """Yield the places of all rows of some users after another, ascending in each block.

    Args:
        user_rows: int32 `[n]`, whose each row is.
        users: int32, those whose rows are wanted, in this order; each once.
        num_users: Above all of `user_rows`.
        most_rows: Of a block, unless one user has more.
    """
    ends = np.cumsum(np.bincount(user_rows, minlength=num_users)[users])
    start = 0
    while start < len(users):
        before = ends[start - 1] if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + most_rows, side="right")))
        if start == 0 and end == len(users) == num_users:
            yield np.arange(len(user_rows))
            return
        is_wanted = np.zeros(num_users, np.bool_)
        is_wanted[users[start:end]] = True
        yield np.flatnonzero(is_wanted[user_rows])
        start = end
