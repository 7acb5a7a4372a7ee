"""Print measures as tables on standard output."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from training.cli.progress import results
from training.evaluation.comparison import AGAINST, MEASURES, Comparison, compare, list_table


def print_comparison(metrics: dict[str, Any]) -> None:
    """Print the model beside the baselines, what is surely best marked, and each loss as a sentence.

    Users with a history follow by themselves where others have none.
    """
    seeds = len(metrics["seeds"])
    title = f"{metrics['split']} split" + (f", mean of {seeds} seeds" if seeds > 1 else "")
    _print_comparison(compare(metrics), title)
    known = metrics.get("known_users")
    if known is not None:
        _print_comparison(compare(known), f"{title}: the {known['users']:,} users with training ratings")


def _print_comparison(comparison: Comparison, title: str) -> None:
    # The star marks the best where bold does not show, as in a file.
    table = Table("", title=title)
    for name in comparison.header:
        table.add_column(name, justify="right", min_width=7)
    table.add_column(AGAINST, justify="right", no_wrap=True)
    for measure, cells in comparison.rows.items():
        table.add_row(
            measure,
            *(f"[bold]{cell.text}*[/bold]" if cell.best else f"{cell.text} " for cell in cells),
            escape(comparison.against[measure]),
        )
    results.print(table)
    for sentence in comparison.verdict:
        results.print(sentence, markup=False, soft_wrap=True)


def print_lists(metrics: dict[str, Any]) -> None:
    """Print what the lists of the model and of each retrieval baseline recommend."""
    lists = list_table(metrics)
    if lists is None:
        return
    first, *names = lists.header
    table = Table(first, title="Lists of ten")
    for name in names:
        table.add_column(name, justify="right", min_width=7)
    for row in lists.rows:
        table.add_row(*row)
    results.print(table)


def print_cold_start(cold_start: dict[str, Any] | None) -> None:
    """Print measures of cold-start users by the number of ratings they send."""
    if cold_start is None:
        results.print(
            "Cold start: not measured, no user with ten training ratings can be left out of training."
        )
        return
    for which in ("first", "latest"):
        curve = cold_start[which]
        table = Table(
            f"{which} ratings", title=f"Cold start, {cold_start['users']} users left out of training"
        )
        for point in curve:
            table.add_column(str(point["ratings"]), justify="right")
        for measure, name in MEASURES.items():
            if measure in curve[0]:
                table.add_row(name, *(f"{point[measure]:.4f}" for point in curve))
        results.print(table)


def print_ablation(measured: dict[str, dict[str, float]], split: str) -> None:
    """Print measures of the model without each of its parts."""
    table = Table("", title=f"Ablation, {split} split")
    for name in measured:
        table.add_column(name, justify="right", min_width=6)
    for measure, name in MEASURES.items():
        figures = [measures.get(measure) for measures in measured.values()]
        if any(figure is not None for figure in figures):
            table.add_row(name, *("-" if figure is None else f"{figure:.4f}" for figure in figures))
    results.print(table)
