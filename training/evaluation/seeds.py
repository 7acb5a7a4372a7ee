"""Average a measurement over several seeds."""

from __future__ import annotations

from typing import Any

import numpy as np


def mean_of_runs(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Join runs with several seeds: the document of the first, with the mean of the model's measures.

    Returns:
        As `evaluate_split`, and `seeds`, `runs` (each one's `seed`, `fit_seconds` and `model`) and
        `spread`: the standard deviation of each measure, n - 1 in its denominator; null of one run.
    """
    figures = {name: [run["model"][name] for run in runs] for name in runs[0]["model"]}
    return runs[0] | {
        "model": {name: float(np.mean(values)) for name, values in figures.items()},
        "spread": None
        if len(runs) == 1
        else {name: float(np.std(values, ddof=1)) for name, values in figures.items()},
        "seeds": [run["seed"] for run in runs],
        "runs": [{name: run[name] for name in ("seed", "fit_seconds", "model")} for run in runs],
    }
