"""Recognise numbers that mean 'watched, but not rated', such as 0 beside 1 to 10."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_SPIKE = 2.0
"""A number that is no rating occurs at least this many times as often as the next rating."""


def suspected(stars: NDArray[np.floating]) -> float | None:
    """Return the number that seems to mean no rating; None if every number seems to be one.

    That is the lowest number if it is negative and all others are not; or 0, if it stands apart from the
    others or is a spike: twice as frequent as the lowest of them or more, and nothing lies between. And the
    highest if it is 9, 99, ... far above all others, as in Jester's files.

    Args:
        stars: Ratings, NaN where there is none.
    """
    values, counts = np.unique(stars[~np.isnan(stars)], return_counts=True)
    if len(values) < 2 or values[-1] <= 1:  # -1, 0 and 1 are votes
        return None
    if values[0] < 0 <= values[1]:
        return float(values[0])
    if len(values) < 3:
        return None
    steps = np.diff(values[1:])
    if values[0] == 0 and len(values) <= 101:
        gap, step = values[1] - values[0], float(np.median(steps))
        if gap > 1.5 * step or (gap >= step and counts[0] >= _LEAST_SPIKE * counts[1]):
            return 0.0
    spread = values[-2] - values[0]
    if values[-1] in {99.0, 999.0, 9999.0} and values[-1] - values[-2] > 2 * spread:
        return float(values[-1])
    return None
