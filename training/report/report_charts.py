"""The charts of a bundle's report, from the figures of `report/metrics.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation.comparison import MEASURES
from training.report.charts import Chart


def training_charts(metrics: dict[str, Any]) -> list[Chart]:
    """Losses and held-out figures by epoch of the measured training, and the losses of the bundle's."""
    validation = metrics.get("validation") or {}
    epochs = [str(int(epoch)) for epoch in validation.get("epoch", [])]
    return [
        *_losses(metrics.get("losses"), "measured"),
        *(
            Chart(f"Held out: {MEASURES[name]}", "epoch", epochs, {"held out": values})
            for name, values in validation.items()
            if name != "epoch"
        ),
        *_losses(metrics.get("shipped", {}).get("losses"), "shipped"),
    ]


def cold_start_charts(cold_start: dict[str, Any] | None) -> list[Chart]:
    """Three measures by the number of ratings sent, the first ones and the latest; none if not measured."""
    if cold_start is None:
        return []
    curves = {which: cold_start[which] for which in ("first", "latest")}
    measured = curves["first"][0]
    return [
        Chart(
            f"Cold start: {MEASURES[name]}",
            "ratings sent",
            [str(point["ratings"]) for point in curves["first"]],
            {which: [point[name] for point in curve] for which, curve in curves.items()},
        )
        for name in ("hit_rate_at_100", "ndcg_at_10", "rmse")
        if name in measured
    ]


def analysis_charts(analysis: dict[str, Any]) -> list[Chart]:
    """Hit rate by K, calibration, popularity of what is recommended, hit rate by history length.

    Without ratings there is no calibration.
    """
    by_k, bins = analysis["hit_rate_by_k"], analysis["calibration"]
    lengths = {name: of for name, of in analysis["by_history_length"].items() if of is not None}
    charts = [
        Chart("Hit rate by K", "K", list(by_k), {"hit rate": list(by_k.values())}),
        Chart(
            "Calibration of predicted stars",
            "bin",
            _numbered(len(bins)),
            {side: [one[side] for one in bins] for side in ("predicted", "true")},
            "stars",
        ),
        Chart(
            "Recommendations by popularity",
            "tenth of the catalogue, the most popular first",
            _numbered(10),
            {"share": analysis["popularity_deciles"]},
            "share",
            kind="bar",
        ),
        Chart(
            "Hit rate@100 by history length",
            "training ratings of the user",
            list(lengths),
            {"hit rate": [of["hit_rate_at_100"] for of in lengths.values()]},
            kind="bar",
        ),
    ]
    return [chart for chart in charts if chart.x_ticks]


def _losses(losses: Mapping[str, Sequence[float]] | None, of: str) -> list[Chart]:
    named = {name.replace("_", " "): values for name, values in (losses or {}).items() if values}
    return [
        Chart(f"{name.capitalize()}, {of}", "epoch", _numbered(len(values)), {name: values})
        for name, values in named.items()
    ]


def _numbered(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]
