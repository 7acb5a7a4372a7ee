"""What each held-out user adds to each measure: a measure of several users is a ratio of two sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluation.metrics import Ranks, expected_hits, ndcg_parts, recall_parts

HIT_RATE_DEPTHS = (10, 50, 100)

_ROOTS = {"rmse"}

Sums = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class UserSums:
    """Sums of users, in ascending order of their rows in the table.

    A measure is sum(numerator) / sum(denominator), its root where it is an error. Memory is users times
    measures, whatever the number of test rows.

    Attributes:
        numerators: By measure, float64 `[num_users]`.
        denominators: By measure, float64 `[num_users]`.
    """

    numerators: Sums
    denominators: Sums

    def __or__(self, other: UserSums) -> UserSums:
        """Join sums of the same users for other measures."""
        return UserSums(self.numerators | other.numerators, self.denominators | other.denominators)

    def take(self, users: NDArray[np.bool_]) -> UserSums:
        """Select users, bool `[num_users]`."""
        return UserSums(
            {name: values[users] for name, values in self.numerators.items()},
            {name: values[users] for name, values in self.denominators.items()},
        )

    def measures(self) -> dict[str, float]:
        """Compute the measures of all users together; those without a row to measure on are left out."""
        found = {}
        for name, numerators in self.numerators.items():
            total = float(self.denominators[name].sum())
            if total:
                found[name] = float(as_measure(name, numerators.sum() / total))
        return found


def as_measure(name: str, ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn ratios of sums into the measure that is reported: its root where it is an error."""
    measures: NDArray[np.float64] = np.sqrt(ratios) if name in _ROOTS else ratios
    return measures


def retrieval_sums(unseen: Ranks, among_all: Ranks, num_rows: NDArray[np.int64]) -> UserSums:
    """Sum what test rows add to each measure of docs/evaluation.md with one query per user.

    Args:
        unseen: Ranks of the test movies, the seen ones excluded; rows by user.
        among_all: The same among all candidates.
        num_rows: int64 `[num_users]`, how many rows each user has, at least 1.
    """
    users = np.repeat(np.arange(len(num_rows)), num_rows)
    wanted = num_rows[users]
    rows, ones = num_rows.astype(np.float64), np.ones(len(num_rows))
    parts = {f"hit_rate_at_{k}": (expected_hits(unseen, k), rows) for k in HIT_RATE_DEPTHS} | {
        "ndcg_at_10": (ndcg_parts(unseen, 10, wanted), ones),
        "recall_at_20": (recall_parts(unseen, 20, wanted), ones),
        "top_100_accuracy": (expected_hits(among_all, 100), rows),
    }
    return UserSums(
        {name: sum_by_user(users, of_rows, len(num_rows)) for name, (of_rows, _) in parts.items()},
        {name: denominators for name, (_, denominators) in parts.items()},
    )


def sum_by_user(
    users: NDArray[np.integer], values: NDArray[np.float64], num_users: int
) -> NDArray[np.float64]:
    """Sum `values` of rows by their `users`, both `[n]`, to float64 `[num_users]`."""
    return np.bincount(users, values, num_users).astype(np.float64, copy=False)


def joined(groups: Sequence[UserSums]) -> UserSums:
    """Join sums of different users for the same measures; at least one group."""
    names = groups[0].numerators
    return UserSums(
        {name: np.concatenate([group.numerators[name] for group in groups]) for name in names},
        {name: np.concatenate([group.denominators[name] for group in groups]) for name in names},
    )


def mean_sums(runs: Sequence[UserSums]) -> UserSums:
    """Average what each user adds over runs on the same rows; at least one run."""
    return UserSums(
        {name: np.mean([run.numerators[name] for run in runs], axis=0) for name in runs[0].numerators},
        runs[0].denominators,
    )
