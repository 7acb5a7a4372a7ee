"""Compare the model with the baselines: a table with the best of each row marked, and a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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

OURS = "Matinee"

_NAMES = {"ease": "EASE", "ials": "iALS", "svd": "SVD", "sasrec": "SASRec"}
_LOWER_IS_BETTER = {"rmse"}
_DECIMALS = 4


@dataclass(frozen=True)
class Cell:
    """One figure as text, '-' where it was not computed; `best` if no other of its row is better."""

    text: str
    best: bool


@dataclass(frozen=True)
class Comparison:
    """A printable table.

    Attributes:
        header: The names of the columns after that of the measures, the model first.
        rows: By the printed name of the measure, a cell for each column; measures that no column has are
            left out. A row with a figure in one column only has no best.
        verdict: One sentence for each measure at which a baseline is better than the model, or one if there
            is none; empty where nothing can be compared.
    """

    header: list[str]
    rows: dict[str, list[Cell]]
    verdict: list[str]


def compare(metrics: dict[str, Any]) -> Comparison:
    """Compare the figures of `evaluate_split`, as they are printed."""
    columns = {OURS: metrics["model"]} | {
        _NAMES.get(name, name): measures or {} for name, measures in metrics["baselines"].items()
    }
    rows, verdict, compared = {}, [], False
    for measure, title in MEASURES.items():
        figures = {
            name: round(float(of[measure]), _DECIMALS) for name, of in columns.items() if measure in of
        }
        if not figures:
            continue
        sign = 1 if measure in _LOWER_IS_BETTER else -1
        ranked = sorted(figures, key=lambda name: sign * figures[name])
        best = figures[ranked[0]] if len(ranked) > 1 else None
        rows[title] = [
            Cell(_text(figures[name]), figures[name] == best) if name in figures else Cell("-", best=False)
            for name in columns
        ]
        if OURS in figures and best is not None:
            compared = True
            better = [name for name in ranked if sign * figures[name] < sign * figures[OURS]]
            if better:
                verdict.append(_loss(title, better, figures))
    if compared and not verdict:
        verdict.append(f"No baseline beats {OURS} at any measure.")
    return Comparison(list(columns), rows, verdict)


def _loss(title: str, better: list[str], figures: dict[str, float]) -> str:
    """`better` are the columns that beat the model, the best of them first."""
    first, *others = better
    sentence = (
        f"{OURS} loses to {first} at {title} by {_text(abs(figures[first] - figures[OURS]))} "
        f"({_text(figures[OURS])} against {_text(figures[first])})"
    )
    also = ", ".join(f"{name} ({_text(figures[name])})" for name in others)
    return f"{sentence}, and to {also}." if also else f"{sentence}."


def _text(figure: float) -> str:
    return f"{figure:.{_DECIMALS}f}"
