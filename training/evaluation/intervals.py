"""95 % intervals of differences between measures, by a paired bootstrap over users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from training.evaluation.user_sums import UserSums, as_measure

RESAMPLES = 1_000

LEAST_USERS = 10
"""Fewer users than these have no interval: resamples of so few are too much alike."""

_DRAWN_AT_ONCE = 1_000_000
_SEED = 0


class Difference(TypedDict):
    """The model's measure minus a baseline's, and its interval, which is null of too few users."""

    difference: float
    low: float | None
    high: float | None


def differences(model: UserSums, baselines: Mapping[str, UserSums]) -> dict[str, dict[str, Difference]]:
    """Compute for each baseline and measure how much the model differs, with a 95 % interval.

    Users are drawn with replacement, as many as there are, `RESAMPLES` times, the same for the model and all
    baselines; the interval is between the 2.5th and the 97.5th percentile of the differences (Efron and
    Tibshirani 1993, chapter 13). Memory is resamples times measures.

    Args:
        model: Sums by user.
        baselines: Sums of the same users by name of the baseline.

    Returns:
        By baseline, then by measure, those that both have.
    """
    shared = {
        name: [measure for measure in of.numerators if measure in model.numerators]
        for name, of in baselines.items()
    }
    sums = {"": model, **baselines}
    names = [(who, measure) for who, of in sums.items() for measure in of.numerators]
    columns = [sums[who].numerators[measure] for who, measure in names]
    columns += [sums[who].denominators[measure] for who, measure in names]
    totals = np.concatenate(list(_resampled(np.stack(columns, axis=1))))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = totals[:, : len(names)] / totals[:, len(names) :]
    resampled = {
        (who, measure): as_measure(measure, ratios[:, at]) for at, (who, measure) in enumerate(names)
    }
    whole = {who: of.measures() for who, of in sums.items()}
    return {
        name: {
            measure: _difference(
                whole[""][measure] - whole[name][measure],
                resampled["", measure] - resampled[name, measure],
                int(np.count_nonzero(model.denominators[measure])),
            )
            for measure in measures
            if measure in whole[""] and measure in whole[name]
        }
        for name, measures in shared.items()
    }


class Ratio(TypedDict):
    """How many times one measure is another, and its interval, which is null of too few users."""

    ratio: float
    low: float | None
    high: float | None


def ratio(one: UserSums, other: UserSums, measure: str) -> Ratio:
    """Compute how many times a measure is another of the same users, resampled as by `differences`."""
    names = [(sums.numerators[measure], sums.denominators[measure]) for sums in (one, other)]
    totals = np.concatenate(list(_resampled(np.stack([each for pair in names for each in pair], axis=1))))
    with np.errstate(invalid="ignore", divide="ignore"):
        ones, others = (as_measure(measure, totals[:, at] / totals[:, at + 1]) for at in (0, 2))
        resampled = ones / others
    whole = one.measures()[measure] / other.measures()[measure]
    found = _difference(whole, resampled, int(np.count_nonzero(one.denominators[measure])))
    return {"ratio": whole, "low": found["low"], "high": found["high"]}


def _resampled(columns: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Sums of resamples of the rows of `columns`, `[U, M]`: some of the `RESAMPLES` rows `[M]` at a time."""
    random = np.random.default_rng(_SEED)
    num_users = len(columns)
    at_once = max(1, min(RESAMPLES, _DRAWN_AT_ONCE // num_users))
    for start in range(0, RESAMPLES, at_once):
        many = min(at_once, RESAMPLES - start)
        drawn = random.integers(num_users, size=(many, num_users)) + num_users * np.arange(many)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=many * num_users).reshape(many, num_users)
        yield counts.astype(np.float64) @ columns


def _difference(whole: float, resampled: NDArray[np.float64], num_users: int) -> Difference:
    if num_users < LEAST_USERS:
        return {"difference": whole, "low": None, "high": None}
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return {"difference": whole, "low": float(low), "high": float(high)}
