"""What sampling the softmax costs, on data where the softmax over the whole catalogue is known.

    python -m benchmarks.sampled_softmax DATA --page docs/model.md

By lowering `full_softmax_candidates` below the catalogue's size: the batch's own movies as negatives with
logQ correction, and these with uniform ones. With a smaller catalogue than `full_softmax_candidates` the
uniform ones are as many in proportion, so that what is sampled is as thin as there.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import typer

from benchmarks.page import markdown_table, replace_between
from training.cli.reading_arguments import reads_files
from training.config import TrainingConfig
from training.data.reading_options import ReadingOptions
from training.data.sources import load_ratings
from training.data.splits import choose_split, split_by_name
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.split_evaluation import evaluate_model
from training.evaluation.training_length import choose_training_length
from training.model.fitting import fit_model

READ_AS_IT_IS = ReadingOptions()
MARK = "benchmarks.sampled_softmax"
MEASURES = ("hit_rate_at_10", "hit_rate_at_100", "ndcg_at_10")


@reads_files
def main(
    data: str,
    split: str = "auto",
    seeds: int = 3,
    page: Path | None = None,
    reading: ReadingOptions = READ_AS_IT_IS,
) -> None:
    """Train with each kind of negatives and print the table; PAGE has the marks of this benchmark."""
    table = load_ratings(data, "100k", reading)
    split, _ = choose_split(table, split)
    held_out = hold_out(table, split_by_name(table, split))
    default = TrainingConfig()
    config = choose_training_length(held_out.train, default, split).apply(default, held_out.train)
    share = min(1.0, table.num_movies / default.full_softmax_candidates)
    uniform = round(share * default.uniform_negatives)
    kinds = {
        "the whole catalogue": config,
        "the batch's movies": replace(config, full_softmax_candidates=0, uniform_negatives=0),
        f"and {uniform:,} uniform ones": replace(
            config, full_softmax_candidates=0, uniform_negatives=uniform
        ),
    }
    rows = []
    full = 0.0
    for name, changed in kinds.items():
        figures, seconds = measure(held_out, changed, seeds)
        full = full or figures[1]
        loss = f"{figures[1] / full - 1:+.1%}"
        rows.append([name, *(f"{figure:.4f}" for figure in figures), loss, f"{seconds:.1f}"])
    headings = [
        "negatives:",
        "hit rate@10",
        "hit rate@100",
        "NDCG@10",
        "hit rate@100 against the catalogue",
        "s",
    ]
    text = (
        f"{table.name}, {table.num_movies:,} candidates, {split} split, {config.epochs} epochs, mean of "
        f"{seeds} seeds:\n\n{markdown_table(headings, rows)}"
    )
    sys.stdout.write(f"{text}\n")
    if page:
        replace_between(page, MARK, text)


def measure(held_out: HeldOut, config: TrainingConfig, seeds: int) -> tuple[list[float], float]:
    """Train once per seed; return the mean of `MEASURES` and of the seconds of a training."""
    found, seconds = [], []
    for more in range(seeds):
        started = time.perf_counter()
        trained = fit_model(held_out.train, replace(config, seed=config.seed + more))
        seconds.append(time.perf_counter() - started)
        measures = evaluate_model(trained, held_out.test).measures()
        found.append([measures[name] for name in MEASURES])
    return np.mean(found, axis=0).tolist(), float(np.mean(seconds))


if __name__ == "__main__":
    typer.run(main)
