"""The report as one HTML page for people: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from training.comparison import Comparison, compare
from training.plots import bar_chart, line_chart

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}}
div{{overflow-x:auto}}svg{{width:100%;max-width:40rem;display:block;margin:1rem 0}}
table{{border-collapse:collapse}}td,th{{padding:.2rem .8rem;border-bottom:1px solid #8888;text-align:right}}
td:first-child,th:first-child{{text-align:left}}</style></head>
<body><h1>{title}</h1><p>{summary}</p>{body}</body></html>
"""


def report_page(bundle_id: str, metrics: dict[str, Any] | None) -> str:
    """The page of what `evaluate_split` returned; None: not measured. All text is escaped."""
    title = html.escape(f"Matinee, bundle {bundle_id}")
    if metrics is None:
        return _PAGE.format(title=title, summary="Quality was not measured.", body="")
    summary = (
        f"Measured on the {metrics['split']} split: {metrics['test_ratings']:,} held-out ratings after "
        f"training on {metrics['train_ratings']:,}; then trained again on all of them."
    )
    body = _comparison(compare(metrics)) + _losses(metrics.get("losses") or {})
    if "analysis" in metrics:
        body += _analysis(metrics["analysis"])
    return _PAGE.format(title=title, summary=summary, body=body)


def _comparison(comparison: Comparison) -> str:
    """The best of each row in bold, and in words where a baseline beats the model."""
    rows = [
        [
            html.escape(measure),
            *(f"<strong>{cell.text}</strong>" if cell.best else cell.text for cell in cells),
        ]
        for measure, cells in comparison.rows.items()
    ]
    verdict = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in comparison.verdict)
    return _table(["", *map(html.escape, comparison.header)], rows) + verdict


def _losses(losses: dict[str, list[float]]) -> str:
    return "".join(
        line_chart(
            name.replace("_", " "), "epoch", [str(at + 1) for at in range(len(values))], {name: values}
        )
        for name, values in losses.items()
        if values
    )


def _analysis(analysis: dict[str, Any]) -> str:
    by_k, bins = analysis["hit_rate_by_k"], analysis["calibration"]
    lengths = [
        [name, "0", "-", "-", "-"]
        if of is None
        else [
            name,
            str(of["users"]),
            *(f"{of[key]:.4f}" for key in ("hit_rate_at_100", "ndcg_at_10", "rmse")),
        ]
        for name, of in analysis["by_history_length"].items()
    ]
    known = {name: of for name, of in analysis["by_history_length"].items() if of is not None}
    stars = {side: [one[side] for one in bins] for side in ("predicted", "true")}
    return (
        line_chart("Hit rate by K", "K", list(by_k), {"hit rate": list(by_k.values())})
        + bar_chart(
            "Hit rate@100 by history length",
            "training ratings of the user",
            list(known),
            [of["hit_rate_at_100"] for of in known.values()],
        )
        + _table(["training ratings", "users", "hit rate@100", "NDCG@10", "RMSE"], lengths)
        + line_chart(
            "Calibration of predicted stars", "bin", [str(at + 1) for at in range(len(bins))], stars, "stars"
        )
        + bar_chart(
            "Recommendations by popularity",
            "tenth of the catalogue, the most popular first",
            [str(at + 1) for at in range(10)],
            analysis["popularity_deciles"],
            "share",
        )
        + f"<p>{analysis['catalogue_coverage']:.1%} of the catalogue is in somebody's first ten.</p>"
        + "".join(_example(one) for one in analysis["examples"])
    )


def _example(example: dict[str, Any]) -> str:
    return f"<h2>User {html.escape(example['user_id'])}</h2>" + "".join(
        _table(
            [title, "stars"], [[html.escape(one["title"]), f"{one['stars']:.1f}"] for one in example[part]]
        )
        for part, title in (
            ("history", "most recently rated"),
            ("recommended", "recommended, stars predicted"),
        )
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML already."""
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "<div><table>" + "".join(lines) + "</table></div>"
