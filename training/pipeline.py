"""What each command does, stage by stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table

from training.ablation import ablations
from training.artifacts import require_writable
from training.baselines.environment import environment_python
from training.baselines.specialists import RATING, RETRIEVAL, measure_specialists
from training.comparison import MEASURES, compare
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation import evaluate_split, mean_of_runs
from training.export import EXPORT_STEPS, export_bundle
from training.fitting import fit_model
from training.progress import console, results, stage
from training.report import write_readme_table
from training.watching import watched_fit


def fit(
    source: str,
    dataset: str,
    config: TrainingConfig,
    held_out: str | None,
    artifacts: Path,
    *,
    tensorboard: Path | None = None,
) -> Path:
    """Loads, measures on the split `held_out` if any, trains on every rating, exports; returns the bundle."""
    require_writable(artifacts)
    table = load(source, dataset)
    metrics = None
    if held_out is not None:
        metrics = _evaluate(table, held_out, config, tensorboard)
        _print_comparison(metrics, f"{held_out} split")
    with watched_fit("Train on every rating", config, tensorboard) as (_, on_epoch):
        trained = fit_model(table, config, on_epoch)
    # A step is counted as it begins, so the last one ends with one more.
    with stage("Export", EXPORT_STEPS + 1) as running:
        bundle = export_bundle(trained, table, metrics, artifacts, running.advance)
        running.advance()
    console.print(f"{bundle} is live", markup=False, soft_wrap=True)
    return bundle


def evaluate(
    source: str,
    dataset: str,
    config: TrainingConfig,
    split: str,
    *,
    seeds: int,
    baselines: bool = False,
    readme: Path | None = None,
    readme_mark: str = "",
    tensorboard: Path | None = None,
) -> dict[str, Any]:
    """Loads, measures once per seed, prints and returns the mean beside the baselines.

    Args:
        source: What to load, see `load_ratings`.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: Of the first seed; the others count up from it.
        split: `temporal` or `random`.
        seeds: How many.
        baselines: Whether to measure the specialists too that have an environment of their own.
        readme: A file whose table between the comments `readme_mark` is to be replaced.
        readme_mark: See `write_readme_table`.
        tensorboard: A directory for event files, if any.

    Raises:
        ConfigurationError: `baselines`, and their environment is not installed.
    """
    python = environment_python() if baselines else None
    table = load(source, dataset)
    # Before ours, so that one that fails does so before the minutes of training.
    specialists = {} if python is None else _measure_specialists(table, split, config.seed, python)
    runs = [
        _evaluate(table, split, replace(config, seed=config.seed + more), tensorboard)
        for more in range(seeds)
    ]
    metrics = runs[0] | {
        "model": mean_of_runs(runs),
        "baselines": runs[0]["baselines"] | specialists,
    }
    _print_comparison(metrics, f"{split} split" + (f", mean of {seeds} seeds" if seeds > 1 else ""))
    if readme is not None:
        write_readme_table(readme, readme_mark, metrics, f"{split} split")
    return metrics


def ablate(source: str, dataset: str, config: TrainingConfig, split: str) -> dict[str, dict[str, float]]:
    """Loads, measures the model without each of its parts in turn, prints and returns the measures."""
    table = load(source, dataset)
    measured = {
        name: _evaluate(table, split, changed, variant=name)["model"]
        for name, changed in list(ablations(config))
    }
    printed = Table("", *MEASURES.values(), title=f"Ablation, {split} split")
    for name, measures in measured.items():
        printed.add_row(name, *(f"{measures[measure]:.4f}" for measure in MEASURES))
    results.print(printed)
    return measured


def load(source: str, dataset: str) -> RatingsTable:
    """Loads ratings and says how many of what came from where; see `load_ratings`."""
    with stage("Load ratings") as running:
        table = load_ratings(source, dataset)
        running.advance()
    console.print(
        f"{table.num_ratings:,} ratings of {table.num_movies:,} movies by {table.num_users:,} users "
        f"from {table.source}",
        markup=False,
        soft_wrap=True,
    )
    if table.num_replaced:
        console.print(f"{table.num_replaced:,} ratings were replaced by later ones of the same movie")
    return table


def _evaluate(
    table: RatingsTable,
    split_name: str,
    config: TrainingConfig,
    tensorboard: Path | None = None,
    variant: str = "",
) -> dict[str, Any]:
    split = split_by_name(table, split_name)
    name = f"Train and measure, {variant or f'{split_name} split'}"
    # The last step is the measuring itself.
    with watched_fit(name, config, tensorboard, then=1) as (running, on_epoch):
        metrics = evaluate_split(table, split, config, on_epoch)
        running.advance()
    return metrics


def _measure_specialists(
    table: RatingsTable, split_name: str, seed: int, python: Path
) -> dict[str, dict[str, float]]:
    split = split_by_name(table, split_name)
    train, test = table.take(split.train), table.take(split.test)
    with stage(f"Measure baselines, {split_name} split", len(RETRIEVAL + RATING)) as running:
        return measure_specialists(
            train, test, python=python, split_name=split_name, seed=seed, on_begin=running.advance
        )


def _print_comparison(metrics: dict[str, Any], title: str) -> None:
    comparison = compare(metrics)
    # The star marks the best where bold does not show, as in a file.
    table = Table("", title=title)
    for name in comparison.header:
        table.add_column(name, justify="right")
    for measure, cells in comparison.rows.items():
        table.add_row(
            measure, *(f"[bold]{cell.text}*[/bold]" if cell.best else f"{cell.text} " for cell in cells)
        )
    results.print(table)
    for sentence in comparison.verdict:
        results.print(sentence, markup=False, soft_wrap=True)
