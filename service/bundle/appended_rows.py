"""Rows after those of a mapped array, which is not copied for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class AppendedRows:
    """An array and further rows of its kind.

    Args:
        first: `[n, ...]`.
        further: `[m, ...]`, which have the rows from n on.
    """

    def __init__(self, first: NDArray[Any], further: NDArray[Any]) -> None:
        self.first = first
        self.further = further
        self.shape = (len(first) + len(further), *first.shape[1:])

    def __len__(self) -> int:
        return len(self.first) + len(self.further)

    def __getitem__(self, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Rows, int32 `[k]`, of either."""
        is_further = rows >= len(self.first)
        if not is_further.any():
            return self.first[rows]
        found = np.empty((len(rows), *self.shape[1:]), self.first.dtype)
        found[~is_further] = self.first[rows[~is_further]]
        found[is_further] = self.further[rows[is_further] - len(self.first)]
        return found
