"""What a bundle says of itself to people: `report/index.html` and `report/metrics.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from training.errors import ConfigurationError
from training.report_page import report_page

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
"""Measures in the order of every table, with their printed names."""


def comparison_rows(metrics: dict[str, Any]) -> list[list[str]]:
    """The model beside the baselines as text: a header, then a row per measure; '-' where not computed."""
    columns = {"Matinee": metrics["model"], **metrics["baselines"]}
    rows = [["", *columns]]
    for name, title in MEASURES.items():
        values = [(column or {}).get(name) for column in columns.values()]
        rows.append([title, *("-" if value is None else f"{value:.4f}" for value in values)])
    return rows


def write_readme_table(readme: Path, mark: str, metrics: dict[str, Any], title: str) -> None:
    """Replaces what stands between `<!-- mark -->` and `<!-- /mark -->` by the comparison.

    Raises:
        ConfigurationError: The file has no such marks.
    """
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = readme.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ConfigurationError(f"{readme}: expected the marks {begin} and {end} around a table, got none")
    header, *rows = comparison_rows(metrics)
    lines = [[title, *header[1:]], ["---", *("---:" for _ in header[1:])], *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    readme.write_text(f"{before}{begin}\n{table}\n{end}{after}", encoding="utf-8")


def write_report(directory: Path, bundle_id: str, metrics: dict[str, Any] | None) -> None:
    """Writes both files.

    Args:
        directory: Is created.
        bundle_id: For the title.
        metrics: What `evaluate_split` returned; None: not measured.
    """
    directory.mkdir()
    (directory / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    rows = [] if metrics is None else comparison_rows(metrics)
    (directory / "index.html").write_text(report_page(bundle_id, metrics, rows), encoding="utf-8")
