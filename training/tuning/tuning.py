"""Run a search over hyper-parameters: hold out, try, write the best configuration and the report."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from training.cli.data_loading import load_with_store
from training.cli.progress import console, stage
from training.config import TrainingConfig
from training.data.splits import choose_split, split_by_name
from training.data.table import RatingsTable
from training.errors import NothingHeldOut
from training.evaluation.cached_results import code_sha256
from training.evaluation.comparison import MEASURES
from training.evaluation.held_out import hold_out
from training.evaluation.validated_fit import GiveUp
from training.evaluation.validation_quality import VALIDATION_MEASURES
from training.export.saved_model import library_versions
from training.tuning.optuna_study import OptunaStudy, open_study
from training.tuning.search_results import SearchResults
from training.tuning.trial_record import Outcome, Trials
from training.tuning.trial_training import TrialTraining
from training.tuning.tuning_table import percent

STUDIES_DIRECTORY = "tuning"
"""Directory within the artifacts; the service does not read it, and it may be deleted at any time."""

RunTrials = Callable[[OptunaStudy, TrialTraining, Callable[[int], bool], Callable[[], None]], None]
"""Runs trials of a study until no other may begin: given the number of those under way, the third argument
says whether one may; the fourth is called after each that ended."""


def tune(
    source: str | RatingsTable,
    dataset: str,
    config: TrainingConfig,
    split: str,
    artifacts: Path,
    *,
    objective: str,
    trials: int,
    seconds: float | None = None,
    study: Path | None = None,
    command: str = "",
    store: str | None = None,
    run_trials: RunTrials | None = None,
) -> Trials:
    """Search until a study has enough trials; print and write what is best after each of them.

    Trials train on a part of the training rows of the split and are measured on the rest of them: nothing
    depends on the test rows. Beside the study stand `<its name>-best.json`, a configuration for
    `fit --config`, and `<its name>.html`, the report.

    Args:
        source: What to load, see `load_reading`; or ratings that are loaded.
        dataset: The MovieLens version that `auto` and `tfds` mean.
        config: What the first trial is, and what the others differ from in the searched hyper-parameters.
        split: See `choose_split`.
        artifacts: Where the study is, by default.
        objective: A measure of `VALIDATION_MEASURES`, or `all`.
        trials: The search ends when the study has as many that ended, those of earlier runs among them.
        seconds: No trial begins later than so many after the first.
        study: The study's file, if not in `artifacts` by data, split, objective, hyper-parameters and code.
        command: Of `fit`, to which `--config` is added.
        store: What was posted to the service, laid over the ratings: a path, or a URL of PostgreSQL.
        run_trials: Runs several trials at a time, such as on a cluster; None: one after another, here.

    Raises:
        ConfigurationError: `objective` cannot be measured, `study` is of something else.
        AnotherTraining: Another process searches with this study.
        NothingHeldOut: There are too few ratings.
        SourceError: The store cannot be read.
    """
    table, _ = load_with_store(source, dataset, store)
    split, note = choose_split(table, split)
    if note is not None:
        console.print(note, markup=False, soft_wrap=True)
    measures = VALIDATION_MEASURES if objective == "all" else (objective,)
    training = TrialTraining(_training_rows(table, split), split, config, measures)
    holds_for = {
        "data": table.sha256,
        "split": split,
        "objective": objective,
        "hyperparameters": config.to_document(),
        "search_space": [one.to_document() for one in training.searched],
        "code": code_sha256(),
        "libraries": library_versions(),
    }
    path = study or artifacts / STUDIES_DIRECTORY / f"{split}-{_digest(holds_for)}.db"
    results = SearchResults(
        path, _summary(training, objective), training.config, training.searched, command=command
    )
    with open_study(path, training.searched, holds_for, config.seed) as opened:
        try:
            _run(opened, training, path, results, wanted=trials, seconds=seconds, run_trials=run_trials)
        finally:
            # After Ctrl-C and SIGTERM too, which go on from here.
            found = opened.trials()
            results.write(found)
            results.show(found)
        return found


def _run(
    study: OptunaStudy,
    training: TrialTraining,
    path: Path,
    results: SearchResults,
    *,
    wanted: int,
    seconds: float | None,
    run_trials: RunTrials | None,
) -> None:
    known = study.trials()
    ended = len(known.ended)
    about = f"goes on after {ended} trials" if known.records else "begins"
    console.print(f"The study {path} {about}.", markup=False, soft_wrap=True)
    started = time.monotonic()
    with stage("Search hyper-parameters", max(wanted - ended, 0)) as running:

        def measure(values: Mapping[str, Any], give_up: GiveUp) -> Outcome:
            def on_epoch(epoch: int, _: dict[str, float]) -> None:
                if console.is_terminal:
                    running.note(f"after {ended} trials: epoch {epoch} of {training.most_epochs}")

            return training.measure(values, give_up, on_epoch)

        def may_begin(num_running: int) -> bool:
            is_late = seconds is not None and time.monotonic() - started >= seconds
            return ended + num_running < wanted and not is_late

        def on_ended() -> None:
            nonlocal ended
            trials = study.trials()
            ended = len(trials.ended)
            results.write(trials)
            running.advance(_in_words(trials), milestone=True)

        if run_trials is not None:
            run_trials(study, training, may_begin, on_ended)
        while run_trials is None and may_begin(0):
            study.run_trial(training.defaults(), measure)
            on_ended()


def _summary(training: TrialTraining, objective: str) -> str:
    held_out = training.held_out
    goal = "all three measures" if objective == "all" else MEASURES[objective]
    return (
        f"{held_out.train.name}, {held_out.split} split: of its training ratings {len(held_out.train):,} "
        f"were trained on and {len(held_out.test):,} validated on, for {goal}."
    )


def _in_words(trials: Trials) -> str:
    last = trials.records[-1]
    gain = percent(trials.gain(last.outcome.quality))
    found = f"trial {last.number}: {last.outcome.ending}, {gain} against the defaults"
    return f"{found}; the best is trial {trials.complete[0].number}" if trials.complete else found


def _training_rows(table: RatingsTable, split: str) -> RatingsTable:
    try:
        return hold_out(table, split_by_name(table, split)).train
    except NothingHeldOut as error:
        raise NothingHeldOut(
            f"{table.name}: too few ratings to search with: the {split} split of {len(table)} ratings leaves "
            "no test rating, or fewer than two others; take another --split, or train with the defaults"
        ) from error


def _digest(holds_for: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(holds_for, sort_keys=True).encode()).hexdigest()[:8]
