"""Recognise ratings that are none: a number for 'watched, but not rated', or the same for every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.data.raw_ratings import RawRatings
from training.data.reading_options import ReadingOptions
from training.data.watch_weights import MOST_SKEW

_LEAST_CONSTANT = 20
"""So many equal ratings are not by chance."""
_MOST_SAMPLED = 1_000_000
_COUNTS = (
    "the ratings are skewed as counts are: if they are counts, take their logarithm with "
    "--rating-transform log, or let them weigh watches with --columns rating=,weight=..."
)
_FEW, _MOST_FAR = 0.005, 2.0
_LEAST_SPIKE = 2.0
"""A number that is no rating occurs at least this many times as often as the next rating."""


def understood(ratings: RawRatings, options: ReadingOptions) -> tuple[RawRatings, list[str]]:
    """Take ratings that are all 1 as watches, and warn of numbers that seem to be no ratings.

    Returns:
        The ratings, and the warnings.
    """
    if not ratings.has_ratings or options.rating_transform == "log":
        return ratings, []
    stars = ratings.stars[~np.isnan(ratings.stars)]
    if len(stars) >= _LEAST_CONSTANT and np.ptp(stars) == 0:
        if stars[0] != 1:
            return ratings, [f"all ratings are {stars[0]:g}, from which nothing can be learnt"]
        watches = replace(ratings, stars=np.full_like(ratings.stars, np.nan))
        return watches, ["all ratings are 1, so every row is read as a watch without a rating"]
    some = stars[:: 1 + len(stars) // _MOST_SAMPLED]
    number = suspected(some)
    if number is None and _are_counts(some):
        return ratings, [_COUNTS]
    if number is None:
        return ratings, _far_off(stars)
    share = float(np.mean(some == np.float32(number)))
    said = f"{share:.0%} of the ratings are {number:g}, which stands apart from the others"
    return ratings, [f"{said}: if it means 'not rated', say so with --not-rated {number:g}"]


def _are_counts(stars: NDArray[np.floating]) -> bool:
    """Whether ratings are whole numbers, of which a few are far above most, as no scale is."""
    high, median = np.quantile(stars, (0.99, 0.5))
    return bool(stars.min() >= 0 and high > MOST_SKEW * max(median, 1) and (stars % 1 == 0).all())


def _far_off(stars: NDArray[np.floating]) -> list[str]:
    """Warn of a few numbers far from all others, such as 55 for 5: the scale would begin or end with them."""
    low, high = np.quantile(stars, (_FEW, 1 - _FEW), method="closest_observation")
    far = _MOST_FAR * max(float(high - low), 1.0)
    is_off = (stars < low - far) | (stars > high + far)
    if not is_off.any() or len(stars) < _LEAST_CONSTANT:
        return []
    shown = ", ".join(f"{one:g}" for one in np.unique(stars[is_off])[:3])
    return [
        f"{np.count_nonzero(is_off):,} of the ratings ({shown}) are far from the others, which are "
        f"{low:g} to {high:g}: correct them, for the scale goes as far as they do"
    ]


def suspected(stars: NDArray[np.floating]) -> float | None:
    """Return the number that seems to mean no rating; None if every number seems to be one.

    That is the lowest number if it is negative and all others are not; or 0, if it stands apart from the
    others or is a spike: twice as frequent as the lowest of them or more, and nothing lies between. And the
    highest if it is 9, 99, ... far above all others, as in Jester's files.

    Args:
        stars: Ratings.
    """
    values, counts = np.unique(stars, return_counts=True)
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
