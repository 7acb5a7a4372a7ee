"""What a bundle says of itself to people: `report/index.html` and `report/metrics.json`."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from training.errors import ConfigurationError

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

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;border-bottom:1px solid #ccc;text-align:right}}
td:first-child,th:first-child{{text-align:left}}</style></head>
<body><h1>{title}</h1><p>{summary}</p>{table}</body></html>
"""


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
    if metrics is None:
        summary, table = "Quality was not measured.", ""
    else:
        summary = (
            f"Measured on the {metrics['split']} split: {metrics['test_ratings']:,} held-out ratings after "
            f"training on {metrics['train_ratings']:,}; then trained again on all of them."
        )
        table = _table(comparison_rows(metrics))
    page = _PAGE.format(title=html.escape(f"Matinee, bundle {bundle_id}"), summary=summary, table=table)
    (directory / "index.html").write_text(page, encoding="utf-8")


def _table(rows: list[list[str]]) -> str:
    head, *body = [[html.escape(cell) for cell in row] for row in rows]
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
    return "<table>" + "".join(lines) + "</table>"
