"""The report as one HTML page for people: no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
from typing import Any

from training.comparison import Comparison, compare
from training.page import page, table
from training.plots import bar_chart, line_chart


def report_page(bundle_id: str, metrics: dict[str, Any] | None) -> str:
    """The page of what `evaluate_split` returned; None: not measured. All text is escaped."""
    title = f"Matinee, bundle {bundle_id}"
    if metrics is None:
        return page(title, "Quality was not measured.", "")
    summary = (
        f"Measured on the {metrics['split']} split: {metrics['test_ratings']:,} held-out ratings after "
        f"training on {metrics['train_ratings']:,}; then trained again on all of them."
    )
    body = _comparison(compare(metrics)) + _losses(metrics.get("losses") or {})
    if "analysis" in metrics:
        body += _analysis(metrics["analysis"])
    return page(title, summary, body)


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
    return table(["", *map(html.escape, comparison.header)], rows) + verdict


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
        + table(["training ratings", "users", "hit rate@100", "NDCG@10", "RMSE"], lengths)
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
        table([title, "stars"], [[html.escape(one["title"]), f"{one['stars']:.1f}"] for one in example[part]])
        for part, title in (
            ("history", "most recently rated"),
            ("recommended", "recommended, stars predicted"),
        )
    )
