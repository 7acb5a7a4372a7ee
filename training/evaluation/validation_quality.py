"""How good a model is on validation rows, as one number that choices are made by."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

_SIGNS = {"hit_rate_at_100": 1, "ndcg_at_10": 1, "rmse": -1}
_LEAST = 1e-6

VALIDATION_MEASURES = tuple(_SIGNS)
"""The measures that a validation takes."""


def quality(figures: Mapping[str, float], measures: Collection[str] = VALIDATION_MEASURES) -> float:
    """Sum of log hit rate@100, log NDCG@10 and minus log RMSE: relative changes weigh alike, more is better.

    Args:
        figures: By name; a measure that is missing does not count, and a measure of 0 counts as a millionth.
        measures: Those of `VALIDATION_MEASURES` that count.
    """
    known = [(sign, figures[name]) for name, sign in _SIGNS.items() if name in measures and name in figures]
    return float(sum(sign * np.log(max(figure, _LEAST)) for sign, figure in known))
