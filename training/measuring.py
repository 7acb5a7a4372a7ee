"""Measure on held-out ratings, as `fit` and `evaluate` do, showing how far that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from training.cli.fit_progress import fit_stage
from training.cli.progress import console, stage
from training.config import TrainingConfig
from training.data.splits import SPLIT_NAMES, choose_split, news_split, split_by_name
from training.data.table import RatingsTable
from training.errors import NothingHeldOut
from training.evaluation.baseline_evaluation import Baseline, evaluate_baselines
from training.evaluation.baselines.environment import Environment
from training.evaluation.baselines.specialists import measure_specialists
from training.evaluation.cached_results import EvaluationRecords
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.seeds import mean_of_runs
from training.evaluation.served_answers import evaluate_bundle
from training.evaluation.split_evaluation import Evaluation, MeasureModel, evaluate_split
from training.evaluation.training_length import TrainingLength, choose_training_length
from training.export.former_bundle import FormerBundle
from training.model.adaptation import adapt

LEAST_NEWS = 100
"""A warm start is measured on at least so many ratings: on fewer, chance decides."""


def choose_and_say_split(table: RatingsTable, wanted: str) -> tuple[str, str | None]:
    """As `choose_split`, whose note is printed."""
    split, note = choose_split(table, wanted)
    if note is not None:
        console.print(note, markup=False, soft_wrap=True)
    return split, note


def known_or_measured(
    table: RatingsTable, wanted: str, config: TrainingConfig, artifacts: Path, tensorboard: Path | None
) -> dict[str, Any] | None:
    """Read what `evaluate` kept of a split, or measure it now; add what was kept of other splits.

    None where `auto` leaves too few ratings.
    """
    split, note = choose_and_say_split(table, wanted)
    records = EvaluationRecords(artifacts, table, config)
    metrics = records.read(split)
    if "model" in metrics:
        console.print(f"{split} split: as `evaluate` measured it at {metrics['measured_utc']}", markup=False)
    else:
        try:
            held_out = hold_out(table, split_by_name(table, split))
        except NothingHeldOut as error:
            if wanted != "auto":
                raise
            console.print(f"Quality is not measured: {error}", markup=False, soft_wrap=True)
            return None
        metrics |= measure_seeds(held_out, config, tensorboard, split_note=note)[0]
    others = {name: records.read(name) for name in SPLIT_NAMES if name != split}
    return metrics | {"other_splits": {name: of for name, of in others.items() if "model" in of}}


def measure_seeds(
    held_out: HeldOut,
    config: TrainingConfig,
    tensorboard: Path | None,
    *,
    split_note: str | None,
    seeds: int = 1,
    environment: Environment | None = None,
    measure_index: bool = False,
    measure: MeasureModel | None = None,
) -> tuple[dict[str, Any], TrainingConfig]:
    """Measure the baselines, choose the length, and train and measure once per seed.

    Args:
        held_out: Rows to train and to measure on.
        config: Of the first seed; the others count up from it.
        tensorboard: A directory for event files, if any.
        split_note: What was said of the split, if anything.
        seeds: How many trainings.
        environment: Of the specialists, if they are to be measured too.
        measure_index: Whether to measure the index of the first seed too.
        measure: See `evaluate_split`.

    Returns:
        The mean, see `mean_of_runs`; and the configuration of the first seed, with the length.
    """
    # Before our trainings, so that a failing baseline fails before those minutes.
    beside = measure_baselines(held_out, config.seed, environment)
    length = choose_length(held_out.train, config, held_out.split, tensorboard)
    config = length.apply(config, held_out.train)
    runs = [
        train_and_measure(
            held_out,
            replace(config, seed=config.seed + more),
            tensorboard,
            measure_index=measure_index and more == 0,
            measure=measure,
        )
        for more in range(seeds)
    ]
    metrics = mean_of_runs(runs, beside, held_out.has_history)
    return metrics | {"split_note": split_note, "training_length": length.to_document()}, config


def choose_length(
    train: RatingsTable, config: TrainingConfig, split: str, tensorboard: Path | None = None
) -> TrainingLength:
    """Choose what to begin with and how long to train, see `choose_training_length`."""
    # Where the epochs are given nothing is trained, and there is nothing to log.
    logged = None if config.epochs else tensorboard
    adapted = adapt(config, train)
    # Two searches at most, see `choose_starts`; most end early.
    name, again = "Choose the training length", adapted.epochs
    with fit_stage(name, adapted, logged, then=again) as (_, on_epoch):
        return choose_training_length(train, config, split, on_epoch)


def measure_news(
    former: FormerBundle, live: FormerBundle | None, table: RatingsTable, config: TrainingConfig
) -> dict[str, Any] | None:
    """Measure a warm start, and the live bundle beside the baselines, on rows that neither bundle has seen.

    The rows that other splits hold out are no test here: the bundle that training begins with knows them.
    None, which is said, where there are fewer than `LEAST_NEWS`.

    Args:
        former: What training begins with.
        live: What is served; None: nothing.
        table: All ratings.
        config: Of `former.config`.
    """
    is_news = former.is_news(table)
    if live is not None:
        is_news &= live.is_news(table)
    split = news_split(table, is_news)
    if len(split.test) < LEAST_NEWS:
        console.print(
            f"Quality is not measured: {np.count_nonzero(is_news):,} ratings are new, and a fifth of them is "
            f"under {LEAST_NEWS}",
            markup=False,
            soft_wrap=True,
        )
        return None
    held_out = hold_out(table, split)
    beside = measure_baselines(held_out, config.seed)
    with fit_stage("Train and measure, a fifth of the news", config, None, then=2) as (running, on_epoch):
        measured = evaluate_split(held_out, config, on_epoch, warm=former.warm_start())
        running.advance()
        if live is not None:
            beside["live_bundle"] = Baseline(evaluate_bundle(live, held_out.train, held_out.test))
        running.advance()
    return mean_of_runs([measured], beside, held_out.has_history) | {"split_note": None}


def train_and_measure(
    held_out: HeldOut,
    config: TrainingConfig,
    tensorboard: Path | None = None,
    variant: str = "",
    *,
    measure_index: bool = False,
    measure: MeasureModel | None = None,
) -> Evaluation:
    """Train on the training rows of a split and measure on its test rows, see `evaluate_split`.

    Args:
        held_out: Both.
        config: Hyper-parameters.
        tensorboard: A directory for event files, if any.
        variant: What is changed, for the stage's name.
        measure_index: Whether to build the index and measure its recall.
        measure: See `evaluate_split`.
    """
    name = f"Train and measure, {variant or f'{held_out.split} split'}"
    # The last step is the measuring itself.
    with fit_stage(name, config, tensorboard, then=1) as (running, on_epoch):
        measured = evaluate_split(held_out, config, on_epoch, measure_index=measure_index, measure=measure)
        running.advance()
    return measured


def measure_baselines(
    held_out: HeldOut, seed: int, environment: Environment | None = None
) -> dict[str, Baseline | None]:
    """Measure the baselines on the same rows, and the specialists of `environment`, if it is given."""
    specialists = () if environment is None else environment.specialists
    with stage(f"Measure baselines, {held_out.split} split", 1 + len(specialists)) as running:
        measured = evaluate_baselines(held_out)
        running.advance()
        if environment is not None:
            measured |= measure_specialists(held_out, environment, seed=seed, on_begin=running.advance)
    return measured
