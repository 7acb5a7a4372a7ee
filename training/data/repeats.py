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
    of_pair = pairs[repeated]
    starts = np.flatnonzero(np.append(True, of_pair[1:] != of_pair[:-1]))
    group = np.cumsum(np.append(True, of_pair[1:] != of_pair[:-1])) - 1
    is_rated, times = table.is_rated[repeated], table.timestamps[repeated]
    counts = is_rated | ~np.logical_or.reduceat(is_rated, starts)[group]
    latest = np.maximum.reduceat(np.where(counts, times, np.iinfo(np.int64).min), starts)[group]
    # `order` is stable, so of equal timestamps the later row comes last.
    places = np.where(counts & (times == latest), np.arange(len(repeated)), -1)
    last = repeated[np.maximum.reduceat(places, starts)]
    merged = table.weights
    if weights != "latest":
        merged = table.weights.copy()
        merge = np.add if weights == "sum" else np.maximum
        merged[last] = merge.reduceat(table.weights[repeated], starts)
    kept = np.ones(len(pairs), np.bool_)
    kept[repeated] = False
    kept[last] = True
    rows = np.flatnonzero(kept)
    return dataclasses.replace(
        dataclasses.replace(table, weights=merged).take(rows), num_replaced=len(pairs) - len(rows)
    )
