"""Rows of ratings as they were read, before movies and users have their order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(eq=False)
class RawRatings:
    """Rows of the ratings' file, without those that cannot be read.

    Attributes:
        user_codes: Positions in `user_ids`; int32, shape [n].
        user_ids: Distinct ids, in order of first occurrence.
        item_codes: Positions in `item_ids`; int32, shape [n].
        item_ids: Distinct ids.
        stars: Ratings, NaN where there is none; float32, shape [n].
        weights: How much a row counts as a watch; float32, shape [n]; None: every row 1.
        timestamps: Unix seconds; int64, shape [n]; None without a column of times.
        rows: Positions of these rows in the file; int64, shape [n].
        kinds: How the column of each role was read, in words.
        warnings: What is to be known of the values.
    """

    user_codes: NDArray[np.int32]
    user_ids: list[str]
    item_codes: NDArray[np.int32]
    item_ids: list[str]
    stars: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    timestamps: NDArray[np.int64] | None
    rows: NDArray[np.int64]
    kinds: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @property
    def has_ratings(self) -> bool:
        """Whether any row has a rating."""
        return not bool(np.isnan(self.stars).all())

    def take(self, kept: NDArray[np.bool_]) -> RawRatings:
        """Return the rows of a mask, with the users and items that occur in them."""
        if kept.all():
            return self
        user_codes, user_ids = _in_use(self.user_codes[kept], self.user_ids)
        item_codes, item_ids = _in_use(self.item_codes[kept], self.item_ids)
        return RawRatings(
            *(user_codes, user_ids, item_codes, item_ids, self.stars[kept]),
            None if self.weights is None else self.weights[kept],
            None if self.timestamps is None else self.timestamps[kept],
            *(self.rows[kept], self.kinds, self.warnings),
        )


def _in_use(codes: NDArray[np.int32], ids: list[str]) -> tuple[NDArray[np.int32], list[str]]:
    in_use = np.zeros(len(ids), np.bool_)
    in_use[codes] = True
    new_code = np.cumsum(in_use, dtype=np.int32) - 1
    return new_code[codes], [one for one, is_used in zip(ids, in_use, strict=True) if is_used]
