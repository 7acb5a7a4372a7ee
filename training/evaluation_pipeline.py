"""Run the stages of `evaluate`, from loading ratings to what the next `fit` finds of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.cli.data_loading import load_with_store
from training.cli.fit_progress import fit_stage
from training.cli.result_tables import print_ablation, print_cold_start, print_comparison, print_lists
from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation.ablation import ablations
from training.evaluation.baselines.environment import find_environment
from training.evaluation.cached_results import EvaluationRecords
from training.evaluation.cold_start import cold_start
from training.evaluation.held_out import hold_out
from training.evaluation.split_evaluation import MeasureModel
from training.export.artifacts import require_writable
from training.measuring import choose_and_say_split, choose_length, measure_seeds, train_and_measure
from training.report.readme_table import write_readme_table


def evaluate(
    source: str | RatingsTable,
    dataset: str,
    config: TrainingConfig,
    split: str,
    artifacts: Path,
    *,
    seeds: int,
    baselines: bool = False,
    extras: bool = True,
    readme: Path | None = None,
    readme_preset: str = "",
    tensorboard: Path | None = None,
    store: str | None = None,
    measure: MeasureModel | None = None,
) -> dict[str, Any]:
    """Load ratings, measure once per seed, print the mean beside the baselines, and keep it for `fit`.

    Args:
        source: What to load, see `load_reading`; or ratings that are loaded.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: Of the first seed; the others count up from it.
        split: See `choose_split`.
        artifacts: Where bundles are; the next `fit` reads there what was measured.
        seeds: How many trainings.
        baselines: Whether to measure the specialists too, which have an environment of their own.
        extras: Whether to measure cold start and the index too.
        readme: A file whose table of this split is to be replaced, see `write_readme_table`.
        readme_preset: Stands after the split in the comments around that table.
        tensorboard: A directory for event files, if any.
        store: What was posted to the service, laid over the ratings: a path, or a URL of PostgreSQL.
        measure: Measures a trained model, such as on a cluster; None: here.

    Returns:
        Everything that was measured, see docs/evaluation.md.

    Raises:
        ConfigurationError: `baselines`, and their environment is not installed.
        NothingHeldOut: The split leaves too few ratings.
        SourceError: The store cannot be read.
    """
    require_writable(artifacts)
    environment = find_environment() if baselines else None
    table, _ = load_with_store(source, dataset, store)
    split, note = choose_and_say_split(table, split)
    records = EvaluationRecords(artifacts, table, config)  # now, for the code may change while it runs
    held_out = hold_out(table, split_by_name(table, split))
    metrics, config = measure_seeds(
        held_out,
        config,
        tensorboard,
        split_note=note,
        seeds=seeds,
        environment=environment,
        measure_index=extras,
        measure=measure,
    )
    if extras:
        with fit_stage(f"Cold start, {split} split", config, tensorboard, then=1) as (running, on_epoch):
            metrics["cold_start"] = cold_start(held_out, config, on_epoch)
            running.advance()
    records.add(split, metrics)
    print_comparison(metrics)
    print_lists(metrics)
    if extras:
        print_cold_start(metrics["cold_start"])
    if readme is not None:
        write_readme_table(readme, f"{split} {readme_preset}".strip(), metrics, f"{split} split")
    return metrics


def ablate(
    source: str | RatingsTable,
    dataset: str,
    config: TrainingConfig,
    split: str,
    artifacts: Path,
    *,
    store: str | None = None,
) -> dict[str, dict[str, float]]:
    """Measure the model without each of its parts in turn; print, keep and return the measures."""
    require_writable(artifacts)
    table, _ = load_with_store(source, dataset, store)
    split, _ = choose_and_say_split(table, split)
    records = EvaluationRecords(artifacts, table, config)  # now, for the code may change while it runs
    held_out = hold_out(table, split_by_name(table, split))
    config = choose_length(held_out.train, config, split).apply(config, held_out.train)
    measured = {
        name: train_and_measure(held_out, changed, variant=name).document["model"]
        for name, changed in list(ablations(config))
    }
    records.add(split, {"ablation": measured})
    print_ablation(measured, split)
    return measured
