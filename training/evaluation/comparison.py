"""Compare the model with the baselines: a table with the best marked where it differs, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.evaluation.intervals import Difference
from training.evaluation.recommended_lists import LIST_MEASURES

MEASURES = {
    "hit_rate_at_10": "hit rate@10",
    "hit_rate_at_50": "hit rate@50",
    "hit_rate_at_100": "hit rate@100",
    "ndcg_at_10": "NDCG@10",
    "recall_at_20": "recall@20",
    "top_100_accuracy": "top-100 accuracy",
    "rmse": "RMSE, stars",
    "top_100_accuracy_with_time": "top-100 accuracy, row's own time",
    "hit_rate_at_100_with_time": "hit rate@100, row's own time",
}
"""Printed names of the measures, in the order of every table."""

AGAINST = "against the best baseline, 95 %"
"""Head of the column of differences."""

OURS = "Matinee"

_NAMES = {
    "live_bundle": "live bundle",
    "popularity_7_days": "popular, 7 days",
    "popularity_30_days": "popular, 30 days",
    "ease": "EASE",
    "ials": "iALS",
    "svd": "SVD",
    "sasrec": "SASRec",
}
_LOWER_IS_BETTER = {"rmse"}
_DECIMALS = 4


@dataclass(frozen=True)
class Cell:
    """One figure as text, '-' where it was not computed.

    `best` if no other of its row is better and the difference between the model and it, or of the model to
    every other, is not by chance: its 95 % interval leaves out 0.
    """

    text: str
    best: bool


@dataclass(frozen=True)
class Comparison:
    """A printable table.

    Attributes:
        header: The names of the columns after that of the measures, the model first.
        rows: By the printed name of the measure, a cell for each column; measures that no column has are
            left out. A row with a figure in one column only has no best.
        against: By the printed name of the measure, the best baseline with the model's difference to it and
            the interval of that; empty where there is none.
        verdict: One sentence for each measure at which a baseline is better than the model, or one if there
            is none; empty where nothing can be compared.
    """

    header: list[str]
    rows: dict[str, list[Cell]]
    against: dict[str, str]
    verdict: list[str]


def compare(metrics: dict[str, Any]) -> Comparison:
    """Compare the figures of `mean_of_runs`, as they are printed."""
    columns = {OURS: metrics["model"]} | {
        name_of(key): measures or {} for key, measures in metrics["baselines"].items()
    }
    differences = {name_of(key): of for key, of in metrics.get("differences", {}).items()}
    rows, against, verdict, compared = {}, {}, [], False
    for measure, title in MEASURES.items():
        figures = {
            name: round(float(of[measure]), _DECIMALS) for name, of in columns.items() if measure in of
        }
        if not figures:
            continue
        row = _Row(measure, title, figures, {name: of.get(measure) for name, of in differences.items()})
        best = row.best()
        rows[title] = [
            Cell(_text(figures[name]), name == best) if name in figures else Cell("-", best=False)
            for name in columns
        ]
        against[title] = row.against()
        if OURS in figures and len(figures) > 1:
            compared = True
            verdict += row.losses()
    if compared and not verdict:
        verdict.append(f"No baseline beats {OURS} at any measure.")
    return Comparison(list(columns), rows, against, verdict)


@dataclass(frozen=True)
class ListTable:
    """What the lists of the model and of each retrieval baseline recommend, as text.

    Attributes:
        header: An empty cell, and the names of the columns, the model first.
        rows: The printed name of the measure, and a figure for each column, '-' where there is none.
    """

    header: list[str]
    rows: list[list[str]]


def list_table(metrics: dict[str, Any]) -> ListTable | None:
    """Lay out the lists' figures of `mean_of_runs`; None where there are none."""
    columns = {OURS: metrics.get("lists", {})} | {
        name_of(key): lists for key, lists in metrics.get("baseline_lists", {}).items()
    }
    rows = [
        [title, *(_text(of[measure]) if measure in of else "-" for of in columns.values())]
        for measure, title in LIST_MEASURES.items()
        if any(measure in of for of in columns.values())
    ]
    return ListTable(["", *columns], rows) if rows else None


def name_of(baseline: str) -> str:
    """The printed name of a baseline."""
    return _NAMES.get(baseline, baseline)


@dataclass(frozen=True)
class _Row:
    """Figures of one measure by column, and the model's differences to the baselines."""

    measure: str
    title: str
    figures: dict[str, float]
    differences: dict[str, Difference | None]

    @property
    def _sign(self) -> int:
        """Of differences that are in the model's favour."""
        return -1 if self.measure in _LOWER_IS_BETTER else 1

    def _baselines(self) -> list[str]:
        """Those measured, the best first."""
        names = (name for name in self.figures if name != OURS)
        return sorted(names, key=lambda name: -self._sign * self.figures[name])

    def _is_sure(self, baseline: str, sign: int) -> bool:
        """Whether the whole interval of the difference to a baseline is on one side of 0."""
        found = self.differences.get(baseline)
        if found is None or found["low"] is None or found["high"] is None:
            return False
        return min(sign * found["low"], sign * found["high"]) > 0

    def best(self) -> str | None:
        """The column to be marked, if any."""
        baselines = self._baselines()
        if OURS not in self.figures or not baselines:
            return None
        if all(self._is_sure(name, self._sign) for name in baselines):
            return OURS
        return baselines[0] if self._is_sure(baselines[0], -self._sign) else None

    def against(self) -> str:
        """The best baseline, the difference to it, and its interval."""
        for name in self._baselines()[:1]:
            found = self.differences.get(name)
            if found is not None:
                return f"{name} {_signed(found['difference'])}{_interval(found)}"
        return ""

    def losses(self) -> list[str]:
        """A sentence if a baseline has a better figure than the model."""
        ours = self.figures[OURS]
        better = [name for name in self._baselines() if self._sign * (self.figures[name] - ours) > 0]
        if not better:
            return []
        first, *others = better
        sure, found = self._is_sure(first, -self._sign), self.differences.get(first)
        verb = "loses to" if sure else "is behind"
        also = f", and {verb} " + ", ".join(f"{name} ({_text(self.figures[name])})" for name in others)
        return [
            f"{OURS} {verb} {first} at {self.title} by {_text(abs(self.figures[first] - ours))} "
            f"({_text(ours)} against {_text(self.figures[first])}"
            f"{'' if sure or found is None or found['low'] is None else ', which may be chance'})"
            f"{also if others else ''}."
        ]


def _interval(of: Difference) -> str:
    if of["low"] is None or of["high"] is None:
        return ""
    return f" [{_signed(of['low'])}, {_signed(of['high'])}]"


def _signed(difference: float) -> str:
    # Adding 0 makes of -0.0 a zero without a sign.
    return f"{round(difference, _DECIMALS) + 0:+.{_DECIMALS}f}"


def _text(figure: float) -> str:
    return f"{figure:.{_DECIMALS}f}"
