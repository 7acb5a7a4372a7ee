"""The report as one HTML page for people: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
from typing import Any

from training.evaluation.comparison import compare
from training.report.html_page import page
from training.report.report_sections import (
    ablation_section,
    analysis_section,
    cold_start_section,
    comparison_section,
    examples_section,
    index_section,
    seeds_section,
    training_section,
)


def report_page(bundle_id: str, metrics: dict[str, Any]) -> str:
    """The page of a `report/metrics.json` (docs/evaluation.md). All text is escaped."""
    title = f"Matinee, bundle {bundle_id}"
    if "model" not in metrics:
        return page(title, "Quality was not measured.", training_section(metrics))
    body = _split(metrics) + _missing(metrics)
    body += training_section(metrics)
    if "analysis" in metrics:
        body += analysis_section(metrics["analysis"]) + (
            index_section(metrics["index"]) if "index" in metrics else ""
        )
        body += examples_section(metrics["analysis"]["examples"])
    for other in metrics.get("other_splits", {}).values():
        body += _split(other)
    return page(title, f"Measured {metrics['measured_utc']}.", body)


def _split(metrics: dict[str, Any]) -> str:
    """What is told of every split that was measured."""
    seeds = metrics.get("seeds", [])
    test, train = metrics["test_ratings"], metrics["train_ratings"]
    mean = f" Mean of the seeds {', '.join(map(str, seeds))}." if len(seeds) > 1 else ""
    body = (
        f"<h2>{metrics['split'].capitalize()} split</h2>"
        f"<p>{test:,} held-out ratings after training on {train:,}; "
        f"what ships was then trained on all of them.{mean}</p>"
    )
    body += comparison_section(compare(metrics))
    if metrics.get("spread"):
        body += seeds_section(metrics["runs"], metrics["spread"])
    if "cold_start" in metrics:
        body += cold_start_section(metrics["cold_start"])
    if "ablation" in metrics:
        body += ablation_section(metrics["ablation"])
    return body


def _missing(metrics: dict[str, Any]) -> str:
    parts = {
        "cold start and recall of the index": "cold_start" in metrics,
        "what each part is worth (--ablation)": "ablation" in metrics,
        "the other split": bool(metrics.get("other_splits")),
    }
    absent = [name for name, there in parts.items() if not there]
    if not absent:
        return ""
    return (
        "<p>Not measured of this data, these hyper-parameters and this code: "
        f"{html.escape('; '.join(absent))}. "
        "<code>python -m training evaluate</code> measures it for the next bundle's report.</p>"
    )
