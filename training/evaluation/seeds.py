"""Mean and spread of runs with several seeds, and their differences to the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.intervals import differences
from training.evaluation.split_evaluation import Evaluation
from training.evaluation.user_sums import mean_sums

_OF_EACH_RUN = ("seed", "fit_seconds", "fit_processor_seconds", "model")


def mean_of_runs(
    runs: Sequence[Evaluation],
    baselines: Mapping[str, Baseline | None],
    has_history: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Join runs with several seeds: the document of the first, with the mean of the model's measures.

    Args:
        runs: At least one.
        baselines: Of the same users; None: not computed.
        has_history: Which users have training rows, see `HeldOut`; None: all.

    Returns:
        As `evaluate_split`, and `baselines` (measures by name; null where not computed), `baseline_lists`
        (see `RecommendedLists`), `differences` (see `differences`; of the mean over seeds of each user's
        sums), `seeds`, `runs` (each one's `seed`, seconds and `model`) and `spread`: the standard deviation
        of each measure, n - 1 in its denominator; null of one run. Where some users have a history and some
        have none, `known_users` has `model`, `baselines`, `differences` and the number of `users` of those
        who do.
    """
    documents = [run.document for run in runs]
    figures = {name: [of["model"][name] for of in documents] for name in documents[0]["model"]}
    measured = {name: baseline for name, baseline in baselines.items() if baseline is not None}
    model, sums = mean_sums([run.sums for run in runs]), {name: of.sums for name, of in measured.items()}
    joined = documents[0] | {
        "model": {name: float(np.mean(values)) for name, values in figures.items()},
        "spread": None
        if len(runs) == 1
        else {name: float(np.std(values, ddof=1)) for name, values in figures.items()},
        "baselines": {name: sums[name].measures() if name in sums else None for name in baselines},
        "baseline_lists": {name: baseline.lists for name, baseline in measured.items() if baseline.lists},
        "differences": differences(model, sums),
        "seeds": [of["seed"] for of in documents],
        "runs": [{name: of[name] for name in _OF_EACH_RUN if name in of} for of in documents],
    }
    if has_history is None or has_history.all() or not has_history.any():
        return joined
    known, known_sums = model.take(has_history), {name: of.take(has_history) for name, of in sums.items()}
    return joined | {
        "known_users": {
            "users": int(np.count_nonzero(has_history)),
            "model": known.measures(),
            "baselines": {name: of.measures() for name, of in known_sums.items()},
            "differences": differences(known, known_sums),
        }
    }
