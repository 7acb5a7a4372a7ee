"""How good a model is on validation rows, as one number that choices are made by."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from training.evaluation.user_sums import UserSums

_SIGNS = {"hit_rate_at_100": 1, "ndcg_at_10": 1, "rmse": -1}
_LEAST = 1e-6

VALIDATION_MEASURES = tuple(_SIGNS)
"""The measures that a validation takes."""


_STANDARD_ERRORS = 2


def is_surely_better(one: UserSums, other: UserSums) -> bool:
    """Whether `one` has more hit rate@100 and NDCG@10 than `other`, by more than chance.

    The difference in the sum of their logs is above two standard errors of it over users. A measure is a
    ratio of two sums, so to its log a user adds their part of the one less their part of the other (the delta
    method).
    """
    parts = np.zeros(len(one.numerators["ndcg_at_10"]))
    for name in ("hit_rate_at_100", "ndcg_at_10"):
        for sums, sign in ((one, 1), (other, -1)):
            for values, of_log in ((sums.numerators[name], sign), (sums.denominators[name], -sign)):
                parts += of_log * values / max(values.sum(), _LEAST)
    gain = quality(one.measures()) - quality(other.measures())
    return gain > _STANDARD_ERRORS * float(np.sqrt(np.square(parts).sum()))


def quality(figures: Mapping[str, float], measures: Collection[str] = VALIDATION_MEASURES) -> float:
    """Sum of log hit rate@100, log NDCG@10 and minus log RMSE: relative changes weigh alike, more is better.

    Args:
        figures: By name; a measure that is missing does not count, and a measure of 0 counts as a millionth.
        measures: Those of `VALIDATION_MEASURES` that count.
    """
    known = [(sign, figures[name]) for name, sign in _SIGNS.items() if name in measures and name in figures]
    return float(sum(sign * np.log(max(figure, _LEAST)) for sign, figure in known))
