"""The report of a search over hyper-parameters as one HTML page: what `tuning.html.jinja` reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
        searched=[
            [f"{one.name}: {one.reason}", value_text(one.low), value_text(one.high)] for one in searched
        ],
        trial_head=["trial", "ended", "better than the defaults", *(one.name for one in searched)],
        trials=[_trial(trials, one, searched) for one in trials.records],
    )


def _course(trials: Trials) -> Iterator[Chart]:
    """How the best became better, and how it and the defaults did in training; nothing without defaults."""
    by_number = sorted(trials.complete, key=lambda one: one.number)
    gains = _percents(trials, (one.outcome.quality for one in by_number))
    if gains:
        yield Chart(
            "Better than the defaults",
            "complete trial",
            [str(one.number) for one in by_number],
            {"trial": gains, "best so far": np.maximum.accumulate(gains).tolist()},
            "%",
        )
    best = trials.complete[0]
    shown = {"best" if best.is_default else f"trial {best.number}": best, "defaults": trials.default}
    curves = {name: _percents(trials, one.curve) for name, one in shown.items() if one is not None}
    longest = max(map(len, curves.values()))
    if longest:
        numbers = [str(at) for at in range(1, longest + 1)]
        yield Chart("While training: better than the defaults", "validation", numbers, curves, "%")


def _slices(trials: Trials, searched: Sequence[Searched]) -> Iterator[Chart]:
    """The quality by each hyper-parameter's value, the most important one first."""
    order = list(trials.importances) or [one.name for one in searched]
    for name in order:
        tried = sorted(trials.complete, key=lambda one: one.parameters[name])
        gains = _percents(trials, (one.outcome.quality for one in tried))
        if len(gains) > 1:
            values = [_tick(one.parameters[name]) for one in tried]
            yield Chart(name, "value", values, {"trials": gains}, "%")


def _percents(trials: Trials, qualities: Iterable[float | None]) -> list[float]:
    gains = (trials.gain(quality) for quality in qualities)
    return [100 * gain for gain in gains if gain is not None]


def _trial(trials: Trials, one: TrialRecord, searched: Sequence[Searched]) -> list[str]:
    values = (value_text(one.parameters.get(each.name)) for each in searched)
    return [str(one.number), one.outcome.ending, percent(trials.gain(one.outcome.quality)), *values]


def _tick(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.2g}"
