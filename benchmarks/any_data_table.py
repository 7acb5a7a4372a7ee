"""The table of docs/quality_any_data.md: the model beside the best baseline on each data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.page import markdown_table
from training.evaluation.comparison import MEASURES, name_of

REFERENCE = "movielens-100k"
"""Training time is compared with that of this set."""

_COMPARED = {"hit_rate_at_100": 1, "ndcg_at_10": 1, "rmse": -1}
"""Measures, and the sign of differences in the model's favour."""


def quality_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Format results by name of the set, each as `any_data.measure` returns it, as Markdown.

    *above* or *short*: the interval of the difference to the best baseline leaves out 0. Sets that failed,
    and differences against the model, follow as sentences.
    """
    unit = _processor_seconds_per_million(results.get(REFERENCE, {}).get("metrics"))
    headings = [
        "data:",
        "split:",
        *(f"{MEASURES[name]}:" for name in _COMPARED),
        "s per million",
        "of 100K's",
    ]
    rows, shortfalls, failures = [], [], []
    for name, result in results.items():
        metrics = result["metrics"]
        if metrics is None:
            failures.append(f"- {name}: {result['error']}")
            continue
        against = {measure: _Against(metrics, measure) for measure in _COMPARED}
        rate = _processor_seconds_per_million(metrics)
        share = "-" if unit is None or rate is None else f"{rate / unit:.2f}"
        rate_text = "-" if rate is None else f"{rate:,.0f}"
        cells = [against[measure].cell() for measure in _COMPARED]
        rows.append([name, metrics["split"], *cells, rate_text, share])
        shortfalls += [f"- {name}, {text}" for of in against.values() if (text := of.shortfall())]
    parts = [markdown_table(headings, rows)]
    parts += ["Below the best baseline:\n\n" + "\n".join(shortfalls)] if shortfalls else []
    parts += ["Not measured:\n\n" + "\n".join(failures)] if failures else []
    return "\n\n".join(parts)


def _processor_seconds_per_million(metrics: Mapping[str, Any] | None) -> float | None:
    """Mean over seeds of the processor seconds of a fit, for a million training ratings."""
    if metrics is None:
        return None
    seconds = [run["fit_processor_seconds"] for run in metrics["runs"]]
    return float(1e6 * sum(seconds) / len(seconds) / metrics["train_ratings"])


class _Against:
    """The model and the best baseline at one measure."""

    def __init__(self, metrics: Mapping[str, Any], measure: str) -> None:
        self._measure, self._sign = measure, _COMPARED[measure]
        self._ours = metrics["model"].get(measure)
        figures = {
            name: of[measure] for name, of in metrics["baselines"].items() if of is not None and measure in of
        }
        self._best = max(figures, key=lambda name: self._sign * figures[name], default=None)
        self._theirs = figures.get(self._best) if self._best is not None else None
        self._difference = metrics["differences"].get(self._best, {}).get(measure)

    def cell(self) -> str:
        """Both figures, the verdict and the interval."""
        if self._ours is None or self._best is None or self._theirs is None:
            return "-"
        return (
            f"{self._ours:.4f}, {name_of(self._best)} {self._theirs:.4f}: {self._verdict()}{self._interval()}"
        )

    def shortfall(self) -> str | None:
        """What is short, and by how much; None where the model is at or above."""
        found = self._difference
        if found is None or self._ours is None or self._best is None:
            return None
        if self._sign * found["difference"] >= 0:
            return None
        return (
            f"{MEASURES[self._measure]}: {found['difference']:+.4f} to {name_of(self._best)}"
            f"{self._interval()}, {self._verdict()}"
        )

    def _verdict(self) -> str:
        found = self._difference
        if found is None or found["low"] is None:
            return "level"
        ends = sorted((self._sign * found["low"], self._sign * found["high"]))
        return "above" if ends[0] > 0 else "short" if ends[1] < 0 else "level"

    def _interval(self) -> str:
        found = self._difference
        if found is None or found["low"] is None:
            return ""
        return f" [{found['low']:+.4f}, {found['high']:+.4f}]"
