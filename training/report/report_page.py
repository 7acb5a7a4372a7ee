"""The report of a bundle as one HTML page: what `report.html.jinja` reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from training.evaluation.comparison import AGAINST, MEASURES, compare, list_table
from training.report.definitions import DEFINITIONS
from training.report.pages import render
from training.report.report_charts import analysis_charts, cold_start_charts, training_charts


def report_page(bundle_id: str, metrics: dict[str, Any]) -> str:
    """The page of a `report/metrics.json` (docs/evaluation.md)."""
    measured = "model" in metrics
    splits = [metrics, *metrics.get("other_splits", {}).values()] if measured else []
    analysis = metrics.get("analysis") if measured else None
    return render(
        "report",
        title="Matinee: quality report",
        summary=f"Bundle {bundle_id}, "
        + (f"measured {_day(metrics['measured_utc'])}." if measured else "whose quality was not measured."),
        DEFINITIONS=DEFINITIONS if measured else {},
        MEASURES=MEASURES,
        AGAINST=AGAINST,
        splits=[_split(each) for each in splits],
        absent=_absent(metrics) if measured else [],
        training_charts=training_charts(metrics),
        analysis=analysis,
        analysis_charts=analysis_charts(analysis) if analysis else [],
        index=metrics.get("index"),
    )


def _day(utc: str) -> str:
    """A time such as 2026-11-26T14:19:51Z for people."""
    time = datetime.fromisoformat(utc)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def _split(metrics: dict[str, Any]) -> dict[str, Any]:
    """One split's part of the page."""
    return {
        "metrics": metrics,
        "comparison": compare(metrics),
        "known_users": compare(metrics["known_users"]) if "known_users" in metrics else None,
        "lists": list_table(metrics),
        "cold_start_charts": cold_start_charts(metrics.get("cold_start")),
    }


def _absent(metrics: dict[str, Any]) -> list[str]:
    """What `evaluate` could still measure, in words for readers of the page."""
    parts = {
        "cold start and recall of the index": "cold_start" in metrics,
        "what each part is worth": "ablation" in metrics,
        "the other splits": bool(metrics.get("other_splits")),
    }
    return [name for name, there in parts.items() if not there]
