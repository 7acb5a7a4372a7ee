"""Write a bundle's report: `report/index.html` for people and `report/metrics.json` for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.report.report_page import report_page

_HEADLINE = (
    *("split", "split_note", "measured_utc", "train_ratings", "test_ratings", "test_users", "all_test_users"),
    *("cold_start_users", "new_movie_ratings", "seed", "seeds", "fit_seconds", "fit_processor_seconds"),
    *("model", "spread", "baselines", "differences", "known_users"),
)


def headline(metrics: dict[str, Any]) -> dict[str, Any]:
    """Select the manifest's metrics: figures of the comparison, of other splits too; the report has all."""
    kept = {name: metrics[name] for name in _HEADLINE if name in metrics}
    if "other_splits" in metrics:
        kept["other_splits"] = {name: headline(of) for name, of in metrics["other_splits"].items()}
    return kept


def write_report(
    directory: Path, bundle_id: str, metrics: dict[str, Any] | None, shipped: dict[str, Any]
) -> None:
    """Write both files.

    Args:
        directory: Is created.
        bundle_id: For the title.
        metrics: What was measured, see docs/evaluation.md; None: nothing was.
        shipped: `seed` and `losses` by epoch of the training on every rating.
    """
    directory.mkdir()
    document = {**(metrics or {}), "shipped": shipped}
    text = json.dumps(document, indent=2, allow_nan=False)
    (directory / "metrics.json").write_text(text + "\n", encoding="utf-8")
    (directory / "index.html").write_text(report_page(bundle_id, document), encoding="utf-8")
