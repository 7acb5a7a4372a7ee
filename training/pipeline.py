"""Run the stages of `fit` and `evaluate`, from loading ratings to the live bundle."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from service.bundle.index_description import Backend
from training.cli.fit_progress import fit_stage
from training.cli.progress import console, stage
from training.cli.result_tables import print_ablation, print_cold_start, print_comparison
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.splits import SPLIT_NAMES, split_by_name
from training.data.table import RatingsTable
from training.evaluation.ablation import ablations
from training.evaluation.baselines.environment import environment_python
from training.evaluation.baselines.specialists import RATING, RETRIEVAL, measure_specialists
from training.evaluation.cached_results import EvaluationRecords
from training.evaluation.cold_start import cold_start
from training.evaluation.seeds import mean_of_runs
from training.evaluation.split_evaluation import evaluate_split
from training.export.artifacts import require_writable
from training.export.bundle_export import EXPORT_STEPS, export_bundle
from training.export.bundle_inventory import sole_training
from training.export.index_recall import require_index
from training.model.fitting import fit_model
from training.report.readme_table import write_readme_table


def fit(
    source: str,
    dataset: str,
    config: TrainingConfig,
    held_out: str | None,
    artifacts: Path,
    *,
    tensorboard: Path | None = None,
    index_backend: Backend = "annoy",
) -> Path:
    """Load ratings, measure on a split, train on every rating, export a bundle and make it live.

    Measures that `evaluate` kept of the same data, model and code are used instead of measuring again.

    Args:
        source: What to load, see `load_ratings`.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: Of both trainings.
        held_out: `temporal` or `random`; None: nothing is measured.
        artifacts: Where bundles are.
        tensorboard: A directory for event files, if any.
        index_backend: A name of `service.bundle.INDEX_FILES`.

    Returns:
        The bundle's directory.

    Raises:
        ConfigurationError: `index_backend` needs a package that is not installed.
        AnotherTraining: Another training holds the lock of `artifacts`.
        ExportError: The bundle cannot be written, or fails a check; CURRENT was not changed.
    """
    require_index(index_backend)
    require_writable(artifacts)
    with sole_training(artifacts) as leftovers:
        for name in leftovers:
            console.print(f"removed {name}, which a killed training left", markup=False, soft_wrap=True)
        table = load(source, dataset)
        metrics = None
        if held_out is not None:
            metrics = _known_or_measured(table, held_out, config, artifacts, tensorboard)
            print_comparison(metrics)
        with fit_stage("Train on every rating", config, tensorboard) as (_, on_epoch):
            trained = fit_model(table, config, on_epoch)
        # A step is counted as it begins, so the last one ends with one more.
        with stage("Export", EXPORT_STEPS + 1) as running:
            bundle = export_bundle(
                *(trained, table, metrics, artifacts),
                partial(running.advance, milestone=True),
                on_progress=running.note,
                index_backend=index_backend,
            )
            running.advance()
        console.print(f"{bundle} is live", markup=False, soft_wrap=True)
        return bundle


def evaluate(
    source: str,
    dataset: str,
    config: TrainingConfig,
    split: str,
    artifacts: Path,
    *,
    seeds: int,
    baselines: bool = False,
    readme: Path | None = None,
    readme_mark: str = "",
    tensorboard: Path | None = None,
) -> dict[str, Any]:
    """Load ratings, measure once per seed, print the mean beside the baselines, and keep it for `fit`.

    Args:
        source: What to load, see `load_ratings`.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: Of the first seed; the others count up from it.
        split: `temporal` or `random`.
        artifacts: Where bundles are; the next `fit` reads there what was measured.
        seeds: How many trainings.
        baselines: Whether to measure the specialists too, which have an environment of their own.
        readme: A file whose table between the comments `readme_mark` is to be replaced.
        readme_mark: See `write_readme_table`.
        tensorboard: A directory for event files, if any.

    Returns:
        Everything that was measured, see docs/evaluation.md.

    Raises:
        ConfigurationError: `baselines`, and their environment is not installed.
    """
    require_writable(artifacts)
    python = environment_python() if baselines else None
    table = load(source, dataset)
    records = EvaluationRecords(artifacts, table, config)  # now, for the code may change while it runs
    # Before our trainings, so that a failing baseline fails before those minutes.
    specialists = {} if python is None else _measure_specialists(table, split, config.seed, python)
    metrics = mean_of_runs(
        [
            _evaluate(
                table, split, replace(config, seed=config.seed + more), tensorboard, measure_index=more == 0
            )
            for more in range(seeds)
        ]
    )
    metrics["baselines"] |= specialists
    with fit_stage(f"Cold start, {split} split", config, tensorboard, then=1) as (running, on_epoch):
        metrics["cold_start"] = cold_start(table, split_by_name(table, split), config, on_epoch)
        running.advance()
    records.add(split, metrics)
    print_comparison(metrics)
    print_cold_start(metrics["cold_start"])
    if readme is not None:
        write_readme_table(readme, readme_mark, metrics, f"{split} split")
    return metrics


def ablate(
    source: str, dataset: str, config: TrainingConfig, split: str, artifacts: Path
) -> dict[str, dict[str, float]]:
    """Measure the model without each of its parts in turn; print, keep and return the measures."""
    require_writable(artifacts)
    table = load(source, dataset)
    records = EvaluationRecords(artifacts, table, config)  # now, for the code may change while it runs
    measured = {
        name: _evaluate(table, split, changed, variant=name)["model"]
        for name, changed in list(ablations(config))
    }
    records.add(split, {"ablation": measured})
    print_ablation(measured, split)
    return measured


def load(source: str, dataset: str) -> RatingsTable:
    """Load ratings with `load_ratings`; print their numbers and source."""
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


def _known_or_measured(
    table: RatingsTable, split: str, config: TrainingConfig, artifacts: Path, tensorboard: Path | None
) -> dict[str, Any]:
    """Read what `evaluate` kept of a split, or measure it now; add what was kept of other splits."""
    records = EvaluationRecords(artifacts, table, config)
    metrics = records.read(split)
    if "model" in metrics:
        console.print(f"{split} split: as `evaluate` measured it at {metrics['measured_utc']}", markup=False)
    else:
        metrics |= mean_of_runs([_evaluate(table, split, config, tensorboard)])
    others = {name: records.read(name) for name in SPLIT_NAMES if name != split}
    return metrics | {"other_splits": {name: of for name, of in others.items() if "model" in of}}


def _evaluate(
    table: RatingsTable,
    split_name: str,
    config: TrainingConfig,
    tensorboard: Path | None = None,
    variant: str = "",
    *,
    measure_index: bool = False,
) -> dict[str, Any]:
    split = split_by_name(table, split_name)
    name = f"Train and measure, {variant or f'{split_name} split'}"
    # The last step is the measuring itself.
    with fit_stage(name, config, tensorboard, then=1) as (running, on_epoch):
        metrics = evaluate_split(table, split, config, on_epoch, measure_index=measure_index)
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
