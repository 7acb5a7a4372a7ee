"""The parts of a report, each the HTML of one thing that was measured. All text is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation.comparison import MEASURES, Comparison
from training.report.html_page import table
from training.report.plots import bar_chart, line_chart


def comparison_section(comparison: Comparison) -> str:
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


def seeds_section(runs: Sequence[dict[str, Any]], spread: Mapping[str, float]) -> str:
    """Each seed's figures and their standard deviation."""
    head = ["", *(f"seed {run['seed']}" for run in runs), "deviation"]
    rows = [
        [title, *(f"{run['model'][name]:.4f}" for run in runs), f"{spread[name]:.4f}"]
        for name, title in MEASURES.items()
        if name in spread
    ]
    return "<h2>Seeds</h2>" + table(head, rows)


def cold_start_section(cold_start: dict[str, Any] | None) -> str:
    """What the first ratings of a person are worth."""
    if cold_start is None:
        return "<h2>Cold start</h2><p>Not measured: nobody with ten training ratings could be spared.</p>"
    curves = {which: cold_start[which] for which in ("first", "latest")}
    given = [str(point["ratings"]) for point in curves["first"]]
    names = [name for name in MEASURES if name in curves["first"][0]]
    charts = [
        line_chart(
            f"Cold start: {MEASURES[name]}",
            "ratings sent",
            given,
            {which: [point[name] for point in curve] for which, curve in curves.items()},
        )
        for name in ("hit_rate_at_100", "ndcg_at_10", "rmse")
    ]
    tables = "".join(
        table(
            [f"{which} sent", *given],
            [[MEASURES[name], *(f"{point[name]:.4f}" for point in curve)] for name in names],
        )
        for which, curve in curves.items()
    )
    return (
        f"<h2>Cold start</h2><p>{cold_start['users']:,} users were left out of training and asked as "
        "strangers who send some of their training ratings, the first or the latest ones; what they watched "
        f"last, {cold_start['test_ratings']:,} held-out ratings, is to be found. Who sends none gets the "
        "popular list.</p>" + _charts(charts) + tables
    )


def training_section(metrics: dict[str, Any]) -> str:
    """Losses and held-out figures by epoch of the measured training, and the losses of what ships."""
    charts = _losses(metrics.get("losses") or {}, "measured")
    validation = metrics.get("validation") or {}
    ticks = [str(int(epoch)) for epoch in validation.get("epoch", [])]
    charts += [
        line_chart(f"Held out: {MEASURES[name]}", "epoch", ticks, {"held out": values})
        for name, values in validation.items()
        if name != "epoch"
    ]
    charts += _losses(metrics.get("shipped", {}).get("losses") or {}, "shipped")
    return "<h2>Training</h2>" + _charts(charts) if charts else ""


def analysis_section(analysis: dict[str, Any]) -> str:
    """Where the model is good and where it is not."""
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
    charts = [
        line_chart("Hit rate by K", "K", list(by_k), {"hit rate": list(by_k.values())}),
        line_chart(
            "Calibration of predicted stars", "bin", [str(at + 1) for at in range(len(bins))], stars, "stars"
        ),
        bar_chart(
            "Recommendations by popularity",
            "tenth of the catalogue, the most popular first",
            [str(at + 1) for at in range(10)],
            analysis["popularity_deciles"],
            "share",
        ),
        bar_chart(
            "Hit rate@100 by history length",
            "training ratings of the user",
            list(known),
            [of["hit_rate_at_100"] for of in known.values()],
        ),
    ]
    return (
        "<h2>Where it is good</h2>"
        + _charts(charts)
        + f"<p>{analysis['catalogue_coverage']:.1%} of the catalogue is in somebody's first ten.</p>"
        + table(["training ratings", "users", "hit rate@100", "NDCG@10", "RMSE"], lengths)
    )


def index_section(index: dict[str, Any]) -> str:
    """What the index finds of the exact answers."""
    return (
        f"<p>Annoy, {index['trees']} trees, search_k {index['search_k']:,}: of the exact first 10 answers it "
        f"finds {index['recall_at_10']:.2%}, of the first 100 {index['recall_at_100']:.2%}.</p>"
    )


def ablation_section(ablation: dict[str, dict[str, float]]) -> str:
    """The model without each of its parts."""
    rows = [
        [html.escape(name), *(f"{measures[measure]:.4f}" for measure in MEASURES)]
        for name, measures in ablation.items()
    ]
    return "<h2>What each part is worth</h2>" + table(["", *MEASURES.values()], rows)


def examples_section(examples: Sequence[dict[str, Any]]) -> str:
    """People's ratings beside their recommendations."""
    return "<h2>A few people</h2>" + "".join(map(_example, examples)) if examples else ""


def _example(example: dict[str, Any]) -> str:
    known = example["user_id"] is not None
    title = f"User {html.escape(example['user_id'])}" if known else "A stranger, who sends these ratings"
    history = [[_movie(one), f"{one['stars']:g}"] for one in example["history"]]
    recommended = [
        [_movie(one), f"{one['stars']:.1f}", "✓" if one["watched"] else ""] for one in example["recommended"]
    ]
    return (
        f'<h3>{title}</h3><div class="pair">'
        + table(["most recently rated" if known else "sent", "stars"], history)
        + table(["recommended", "predicted", "watched"], recommended)
        + "</div>"
    )


def _movie(one: dict[str, Any]) -> str:
    return f"{html.escape(one['title'])}<br><small>{html.escape(', '.join(one['genres']))}</small>"


def _losses(losses: Mapping[str, Sequence[float]], of: str) -> list[str]:
    return [
        line_chart(
            f"{name.replace('_', ' ').capitalize()}, {of}",
            "epoch",
            [str(at + 1) for at in range(len(values))],
            {name.replace("_", " "): values},
        )
        for name, values in losses.items()
        if values
    ]


def _charts(charts: Sequence[str]) -> str:
    return f'<div class="charts">{"".join(charts)}</div>'
