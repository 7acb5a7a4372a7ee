"""The report of a search over hyper-parameters as one HTML page: what `tuning.html.jinja` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from training.report.charts import Chart
from training.report.pages import render
from training.tuning.search_space import Searched
from training.tuning.trial_record import TrialRecord, Trials
from training.tuning.tuning_table import percent, tuning_table, value_text


def tuning_page(summary: str, trials: Trials, searched: Sequence[Searched], sentences: Sequence[str]) -> str:
    """Render the page.

    Args:
        summary: What was searched on.
        trials: At least one is complete.
        searched: The search space.
        sentences: What was found.
    """
    head, rows = tuning_table(trials)
    return render(
        "tuning",
        title="Matinee, search over hyper-parameters",
        summary=summary,
        sentences=sentences,
        head=head,
        rows=rows,
        course=list(_course(trials)),
        slices=list(_slices(trials, searched)),
        searched=[[one.name, value_text(one.low), value_text(one.high), one.reason] for one in searched],
        trials=[_trial(trials, one) for one in trials.records],
    )


def _course(trials: Trials) -> Iterator[Chart]:
    """How the best became better, and how it and the defaults did in training."""
    ended = [one for one in trials.complete if _gain(trials, one) is not None]
    ended.sort(key=lambda one: one.number)
    if ended:
        gains = [100 * (_gain(trials, one) or 0.0) for one in ended]
        yield Chart(
            "Better than the defaults",
            "trial",
            [str(one.number) for one in ended],
            {"trial": gains, "best so far": np.maximum.accumulate(gains).tolist()},
            "%",
        )
    best = trials.complete[0]
    curves = {"defaults": trials.default, f"trial {best.number}": best}
    found = {
        name: [100 * (trials.gain(quality) or 0.0) for quality in one.curve]
        for name, one in curves.items()
        if one is not None and trials.default is not None
    }
    if found:
        longest = max(len(curve) for curve in found.values())
        numbers = [str(at) for at in range(1, longest + 1)]
        yield Chart("While training: better than the defaults", "validation", numbers, found, "%")


def _slices(trials: Trials, searched: Sequence[Searched]) -> Iterator[Chart]:
    """The quality by each hyper-parameter's value, the most important one first."""
    order = list(trials.importances) or [one.name for one in searched]
    for name in order:
        tried = sorted(
            (one for one in trials.complete if name in one.parameters), key=lambda one: one.parameters[name]
        )
        gains = [_gain(trials, one) for one in tried]
        known = [100 * gain for gain in gains if gain is not None]
        if len(known) == len(tried) > 1:
            yield Chart(
                name, "value", [value_text(one.parameters[name]) for one in tried], {"trials": known}, "%"
            )


def _trial(trials: Trials, one: TrialRecord) -> list[str]:
    values = ", ".join(f"{name} {value_text(value)}" for name, value in one.parameters.items())
    return [str(one.number), one.outcome.ending, percent(_gain(trials, one)), values]


def _gain(trials: Trials, one: TrialRecord) -> float | None:
    return trials.gain(one.outcome.quality)
