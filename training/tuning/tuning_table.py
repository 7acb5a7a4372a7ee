"""The best trials beside the defaults as a table of text."""

from __future__ import annotations

from collections.abc import Callable

from training.evaluation.comparison import MEASURES
from training.tuning.trial_record import TrialRecord, Trials

MOST_SHOWN = 5
"""Trials beside the defaults."""


def tuning_table(trials: Trials) -> tuple[list[str], list[list[str]]]:
    """Make the header and the rows: what was found of each trial, then its values by importance."""
    default = trials.default
    best = [one for one in trials.complete if one is not default][:MOST_SHOWN]
    shown = ([default] if default is not None else []) + best
    rows = [["better than the defaults", *(percent(trials.gain(one.outcome.quality)) for one in shown), ""]]
    names = [name for name in MEASURES if any(name in one.outcome.figures for one in shown)]
    rows += [_row(MEASURES[name], shown, _figure(name)) for name in names]
    rows += [
        _row("epochs", shown, lambda one: str(one.outcome.epochs)),
        _row("seconds", shown, lambda one: f"{one.outcome.seconds:.0f}"),
    ]
    searched = list(trials.importances) or list(
        dict.fromkeys(name for one in shown for name in one.parameters)
    )
    for name in searched:
        importance = f"{trials.importances[name]:.0%}" if name in trials.importances else "-"
        rows.append([name, *(value_text(one.parameters.get(name)) for one in shown), importance])
    heads = ["defaults" if one is default else f"trial {one.number}" for one in shown]
    return ["", *heads, "importance"], rows


def percent(share: float | None) -> str:
    """Return a relative change as text, '-' where it is unknown."""
    return "-" if share is None else f"{share:+.1%}"


def value_text(value: float | None) -> str:
    """Return a hyper-parameter's value in three digits, '-' where it has none."""
    return "-" if value is None else f"{value:.3g}"


def _row(name: str, shown: list[TrialRecord], cell: Callable[[TrialRecord], str]) -> list[str]:
    return [name, *(cell(one) for one in shown), ""]


def _figure(name: str) -> Callable[[TrialRecord], str]:
    def cell(one: TrialRecord) -> str:
        figure = one.outcome.figures.get(name)
        return "-" if figure is None else f"{figure:.4f}"

    return cell
