"""What `fit --warm-start` is worth, beside a fit in full and beside the bundle as it was.

    python -m benchmarks.warm_start --page docs/model.md

News are the last tenth, by time, of the training rows of the temporal split. A bundle is trained on the
rest; then the full fit trains on all of the training rows, and the warm one begins with that bundle. All are
measured on the test rows, by which nothing was chosen. Times are of the processor, reading the bundle
included; the full fit's with and without its search for what to begin with and how long to train, which a
warm start does not need.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import typer

from benchmarks.page import markdown_table, replace_between
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.served_answers import evaluate_bundle
from training.evaluation.split_evaluation import evaluate_model
from training.evaluation.training_length import choose_training_length
from training.export.bundle_export import export_bundle
from training.export.former_bundle import FormerBundle
from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel

MARK = "benchmarks.warm_start"
MEASURES = ("hit_rate_at_100", "ndcg_at_10", "rmse")
_SPLIT = "temporal"
_NEWS = 0.1

_Made = TypeVar("_Made")
Outcome = tuple[dict[str, float], list[float]]
"""Measures by name, and processor seconds: in all, and without a search."""


def main(data: str = "auto", seeds: int = 3, page: Path | None = None) -> None:
    """Train all three once for each seed and print the table; PAGE has the marks of this benchmark."""
    table = load_ratings(data)
    held_out = hold_out(table, split_by_name(table, _SPLIT))
    before = without_news(held_out.train)
    outcomes = [measure(held_out, before, TrainingConfig(seed=42 + more)) for more in range(seeds)]
    names = list(outcomes[0])
    full = np.mean([of["full fit"][0]["hit_rate_at_100"] for of in outcomes])
    seconds = np.mean([of["full fit"][1] for of in outcomes], axis=0)
    rows = []
    for name in names:
        figures = [[of[name][0][measure] for of in outcomes] for measure in MEASURES]
        times = np.mean([of[name][1] for of in outcomes], axis=0)
        cells = [f"{np.mean(each):.4f} ({np.std(each, ddof=min(1, seeds - 1)):.4f})" for each in figures]
        shares = [f"{time:.1f} ({time / whole:.0%})" for time, whole in zip(times, seconds, strict=True)]
        rows.append([name, *cells, f"{np.mean(figures[0]) / full:.1%}", *shares])
    headings = [
        *("of:", "hit rate@100", "NDCG@10", "RMSE", "hit rate@100 against the full fit"),
        *("s, with the search", "s, training alone"),
    ]
    news = len(held_out.train) - len(before)
    text = (
        f"{table.name}, {_SPLIT} split, {len(held_out.train):,} training rows of which {news:,} are news, "
        f"{held_out.train.num_rating_users - before.num_rating_users:,} of "
        f"{held_out.train.num_rating_users:,} users new; mean and standard deviation of {seeds} seeds:\n\n"
        f"{markdown_table(headings, rows)}"
    )
    sys.stdout.write(f"{text}\n")
    if page:
        replace_between(page, MARK, text)


def without_news(train: RatingsTable) -> RatingsTable:
    """All rows but the last tenth by time."""
    order = np.argsort(train.timestamps, kind="stable")
    return train.take(np.sort(order[: round((1 - _NEWS) * len(train))]))


def measure(held_out: HeldOut, before: RatingsTable, config: TrainingConfig) -> dict[str, Outcome]:
    """Train and measure everything with one seed; by name."""
    train, test = held_out.train, held_out.test
    found: dict[str, Outcome] = {}
    length, searching = _timed(lambda: choose_training_length(train, config, _SPLIT))
    full, fitting = _timed(lambda: fit_model(train, length.apply(config, train)))
    found["full fit"] = evaluate_model(full, test).measures(), [searching + fitting, fitting]
    base_config = choose_training_length(before, config, _SPLIT).apply(config, before)
    base = fit_model(before, base_config)
    with tempfile.TemporaryDirectory() as directory:
        bundle = export_bundle(base, before, None, Path(directory))
        warm, seconds = _timed(lambda: _warm_fit(bundle, train, replace(TrainingConfig(), seed=config.seed)))
        found["warm start"] = evaluate_model(warm, test).measures(), [seconds, seconds]
        former = FormerBundle.open(str(bundle), bundle.parent)
        nothing = [0.0, 0.0]
        found["the bundle, news in histories"] = evaluate_bundle(former, train, test).measures(), nothing
        found["the bundle as it was"] = evaluate_bundle(former, before, test).measures(), nothing
    return found


def _warm_fit(bundle: Path, train: RatingsTable, config: TrainingConfig) -> TrainedModel:
    former = FormerBundle.open(str(bundle), bundle.parent)
    former.require_same_kind(train)
    return fit_model(train, former.config(config), warm=former.warm_start())


def _timed(make: Callable[[], _Made]) -> tuple[_Made, float]:
    started = time.process_time()
    made = make()
    return made, time.process_time() - started


if __name__ == "__main__":
    typer.run(main)
