"""Several rows of one user and one movie: which of them counts, and how much."""

from __future__ import annotations

import dataclasses
from typing import Literal

import numpy as np

from training.data.table import RatingsTable

Repeats = Literal["latest", "sum", "max"]
"""The weight of a pair's one row: the latest row's, or the sum or the largest of all its rows."""


def without_repeats(table: RatingsTable, weights: Repeats) -> RatingsTable:
    """Keep of each (user, movie) pair the latest row, in place.

    A row with a rating goes before those without. Of equal timestamps the later row counts.

    Args:
        table: Ratings, pairs any number of times.
        weights: What becomes of the weights of the rows that are dropped.
    """
    pairs = table.user_rows.astype(np.int64) * table.num_movies + table.movie_rows
    in_order = np.sort(pairs)
    if not (in_order[1:] == in_order[:-1]).any():
        return table
    order = np.argsort(pairs, kind="stable")
    is_same = in_order[1:] == in_order[:-1]
    repeated = order[np.append(is_same, False) | np.append(False, is_same)]
    # Stable: of equal timestamps the later row comes last.
    repeated = repeated[np.lexsort((table.timestamps[repeated], table.is_rated[repeated], pairs[repeated]))]
    of_pair = pairs[repeated]
    is_last = np.append(of_pair[1:] != of_pair[:-1], True)
    merged = table.weights.copy()
    if weights != "latest":
        starts = np.flatnonzero(np.append(True, is_last[:-1]))
        merge = np.add if weights == "sum" else np.maximum
        merged[repeated[is_last]] = merge.reduceat(table.weights[repeated], starts)
    kept = np.ones(len(pairs), np.bool_)
    kept[repeated[~is_last]] = False
    rows = np.flatnonzero(kept)
    return dataclasses.replace(
        dataclasses.replace(table, weights=merged).take(rows), num_replaced=len(pairs) - len(rows)
    )
