"""How much watches without ratings count, where some count far more than others."""

from __future__ import annotations

import dataclasses

import numpy as np

from training.data.reading_options import ReadingOptions
from training.data.table import RatingsTable

MOST_SKEW = 20.0
"""Counts whose 99th percentile is above this many times their median are taken on a log scale."""


def scaled(table: RatingsTable, options: ReadingOptions) -> tuple[RatingsTable, str | None]:
    """Bring counts to a log scale, where that was asked for or they are skewed.

    With `--rating-transform log` they become ratings, log(1 + count), and every row weighs 1. Else, where
    they are skewed and nothing was said, weights become log2(1 + count / the lowest): the lowest is 1.

    Args:
        table: Watches without ratings; weights are counts, summed for each pair.
        options: What was said.

    Returns:
        The table, and what was done and why, if anything.
    """
    counts = table.weights.astype(np.float64)
    if options.rating_transform == "log":
        if np.ptp(counts) == 0:
            return (
                table,
                "--rating-transform log: there is nothing to take a logarithm of, every row counts 1",
            )
        stars = np.log1p(counts).astype(np.float32)
        return dataclasses.replace(table, stars=stars, weights=np.ones_like(table.weights)), None
    lowest, median, high = (float(one) for one in np.quantile(counts, (0.0, 0.5, 0.99)))
    if options.rating_transform == "none" or options.event_weights or high <= MOST_SKEW * median:
        return table, None
    weights = np.log2(1 + counts / lowest).astype(np.float32)
    return dataclasses.replace(table, weights=weights), (
        f"counts from {lowest:g} to {counts.max():g} are skewed, so they weigh on a log scale; "
        "--rating-transform log predicts them as ratings, --rating-transform none leaves them as they are"
    )
