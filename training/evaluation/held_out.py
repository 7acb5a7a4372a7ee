"""Training and test rows that a split makes of a table, and what is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.splits import Split
from training.data.table import RatingsTable
from training.errors import NothingHeldOut

MOST_USERS = 10_000
"""Measured on are at most so many users with test rows, drawn once for the model and all baselines."""

_SEED = 0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows to train on and rows to measure on, with the same vocabularies.

    Attributes:
        split: Name of the split.
        train: Training rows.
        test: Test rows of at most `MOST_USERS` users.
        num_test_users: Users with test rows, measured or not.
    """

    split: str
    train: RatingsTable
    test: RatingsTable
    num_test_users: int

    @property
    def has_history(self) -> NDArray[np.bool_]:
        """Which users with test rows, in ascending order, have a training row; bool `[num_users]`."""
        return np.isin(np.unique(self.test.user_rows), self.train.user_rows)

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON: `split`, `train_ratings`, and counts of what is measured on.

        These are `test_ratings` and `test_users`, and of them `cold_start_users`, who have no training row,
        and `new_movie_ratings`, of movies that have none; `all_test_users` counts those who were not drawn
        too.
        """
        has_history = self.has_history
        return {
            "split": self.split,
            "train_ratings": len(self.train),
            "test_ratings": len(self.test),
            "test_users": len(has_history),
            "all_test_users": self.num_test_users,
            "cold_start_users": int(np.count_nonzero(~has_history)),
            "new_movie_ratings": int(
                np.count_nonzero(self.train.movie_counts[self.test.movie_rows] == 0),
            ),
        }


def hold_out(table: RatingsTable, split: Split) -> HeldOut:
    """Take the rows of a split, and of the test rows those of at most `MOST_USERS` users.

    Raises:
        NothingHeldOut: There is no test row, or there are fewer than two training rows.
    """
    if len(split.test) == 0 or len(split.train) < 2:
        raise NothingHeldOut(
            f"{table.name}: expected at least 2 training ratings and a test rating by the {split.name} "
            f"split, got {len(split.train)} and {len(split.test)} of {len(table)}: take another --split, or "
            "train without measuring with `fit --evaluate none`"
        )
    test = table.take(split.test)
    users = np.unique(test.user_rows)
    num_users = len(users)
    if num_users > MOST_USERS:
        drawn = np.random.default_rng(_SEED).choice(users, MOST_USERS, replace=False)
        test = test.take(np.flatnonzero(np.isin(test.user_rows, drawn)))
    return HeldOut(split.name, table.take(split.train), test, num_users)
