"""Deep retrieval of three depths here and in TFRS 0.7.7, from the same initial weights in the same batches.

`python -m benchmarks.tutorial_depth` first compares the loss of each of 100 steps, at the tutorial's learning
rate and at a tenth of it, beside what it becomes here when the initial weights are changed in their last bit:
the first epoch is chaotic. Then it compares the top-100 accuracy after 300 epochs. TFRS takes about 8 minutes
of processor for each model; what it wrote to --out is not computed again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.tfrs_environment import tfrs_python, write_rows
from training.config import TrainingConfig
from training.data.sources import load_ratings
from training.data.table import RatingsTable
from training.experiments.depth import CONFIG
from training.experiments.rating_rows import Epoch, TutorialData
from training.experiments.tutorial_fitting import EpochGraph, fit_tutorial
from training.experiments.tutorial_model import TutorialModel

_HERE = Path(__file__).parent
_STEPS, _SHOWN = 100, (1, 2, 3, 4, 5, 10, 20, 40, 60, 80, 100)
_DEPTHS = ((32,), (64, 32), (128, 64, 32))

Arrays = dict[str, NDArray[np.generic]]
Weights = list[NDArray[np.float32]]

console = Console(highlight=False)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3, help="of each depth, from 1; 0: only the steps")
    parser.add_argument("--epochs", type=int, default=CONFIG.epochs)
    parser.add_argument(
        "--out", type=Path, default=Path("tutorial-depth"), help="where TFRS's results are kept"
    )
    parser.add_argument("--python", type=Path, help="with TFRS; an environment in a cache if not given")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = load_ratings()
    sides = BothSides(table, options.python or tfrs_python(), options.out)
    sides.show_steps(CONFIG.learning_rate)
    sides.show_steps(CONFIG.learning_rate / 10)
    sides.show_accuracy(range(1, options.seeds + 1), options.epochs)


class BothSides:
    """Runs TFRS in a process of its own, and this project's model after it from the same initial weights."""

    def __init__(self, table: RatingsTable, python: Path, out: Path) -> None:
        self._data = TutorialData.from_table(table, CONFIG.time_buckets)
        self._python, self._out = python, out
        self._rows = out / "rows.npz"
        write_rows(self._rows, table)

    def show_steps(self, rate: float) -> None:
        """Print the losses per row of the [64, 32] model's first steps."""
        config = replace(CONFIG, layers=(64, 32), learning_rate=rate, seed=1)
        theirs = self._tfrs(config, steps=_STEPS, epochs=0)
        weights = self._weights(theirs, config)
        data = self._with_their_times(theirs)
        losses = list(_losses(data, config, weights))
        nearby = list(_losses(data, config, [np.nextafter(one, np.float32(1)) for one in weights]))
        printed = Table(title=f"Loss per row of step n, learning rate {rate:g}", box=SIMPLE_HEAD)
        for name in ("step", "Matinee", "TFRS", "difference", "by the last bit"):
            printed.add_column(name, justify="right")
        for step in _SHOWN:
            ours, other = losses[step - 1], float(theirs["steps"][step - 1])
            relative = (f"{one / ours - 1:+.1e}" for one in (other, nearby[step - 1]))
            printed.add_row(str(step), f"{ours:.5f}", f"{other:.5f}", *relative)
        console.print(printed)

    def show_accuracy(self, seeds: range, epochs: int) -> None:
        """Print the accuracies after the last epoch of each depth and seed, then their means."""
        for layers in _DEPTHS:
            ours, theirs = [], []
            for seed in seeds:
                config = replace(CONFIG, layers=layers, seed=seed, epochs=epochs)
                found = self._tfrs(config, steps=0, epochs=epochs)
                fitted = fit_tutorial(
                    self._with_their_times(found), config, weights=self._weights(found, config)
                )
                ours.append(fitted.final["top_100_accuracy"])
                theirs.append(float(found["accuracy"][-1]))
                console.print(f"{layers}, seed {seed}: Matinee {ours[-1]:.4f}, TFRS {theirs[-1]:.4f}")
            if ours:
                console.print(f"{layers}, mean: Matinee {np.mean(ours):.4f}, TFRS {np.mean(theirs):.4f}")

    def _tfrs(self, config: TrainingConfig, *, steps: int, epochs: int) -> Arrays:
        """Return what TFRS wrote, which is computed if missing."""
        layers = "-".join(map(str, config.layers))
        out = self._out / f"{layers}_{config.seed}_{config.learning_rate:g}_{steps}_{epochs}.npz"
        if not out.exists():
            numbers = map(str, (config.seed, config.learning_rate, steps, epochs))
            subprocess.run(  # noqa: S603  # our own
                [
                    self._python,
                    _HERE / "tutorial_depth_tfrs.py",
                    self._rows,
                    out,
                    json.dumps(config.layers),
                    *numbers,
                ],
                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
                check=True,
                stdout=sys.stderr,
            )
        return dict(np.load(out))

    def _weights(self, theirs: Arrays, config: TrainingConfig) -> Weights:
        """Put TFRS's initial weights in the order of this model's trainable variables and of their rows.

        The towers are in one order: tables, then kernels and biases. TFRS's titles are in alphabetical order,
        its words by frequency, and no time is unknown.
        """
        weights = [np.asarray(theirs[str(at)], np.float32) for at in range(4 + 4 * len(config.layers))]
        titles = self._data.titles
        weights[1] = np.pad(weights[1], ((1, 0), (0, 0)))
        of_titles = 2 + 2 * len(config.layers)
        position = {name: at for at, name in enumerate(sorted(titles.names), 1)}
        weights[of_titles] = weights[of_titles][[0, *(position[name] for name in titles.names)]]
        row_of_word = {str(word): row for row, word in enumerate(theirs["words"])}
        names = titles.words(config.max_title_words).names
        weights[of_titles + 1] = weights[of_titles + 1][[row_of_word[name] for name in names]]
        return weights

    def _with_their_times(self, theirs: Arrays) -> TutorialData:
        """Return the data with TFRS's normalised times: their mean, added up in float32, is 659 s off."""
        data = self._data
        times = np.asarray(theirs["normalized_times"], np.float32)[:, None]
        trained = len(data.train)
        return replace(
            data,
            train=replace(data.train, normalized_times=times[:trained]),
            test=replace(data.test, normalized_times=times[trained:]),
        )


def _losses(data: TutorialData, config: TrainingConfig, weights: Weights) -> Iterator[float]:
    """Train step by step in the batches that `fit_tutorial` has with this seed."""
    size = config.batch_size
    model = TutorialModel(data.num_users, data.titles, config)
    for variable, value in zip(model.trainable_variables, weights, strict=False):
        variable.assign(value)
    graph = EpochGraph(model, config.learning_rate)
    random, unordered = np.random.default_rng(config.seed), np.random.default_rng(0)
    batches: list[NDArray[np.int64]] = []
    for _ in range(_STEPS):
        if not batches:
            order = random.permutation(len(data.train))
            batches = [order[start : start + size] for start in range(0, len(order), size)]
        rows = data.train.take(batches.pop(0))
        yield graph.train(Epoch.shuffled(rows, size, len(data.titles), unordered))


if __name__ == "__main__":
    main()
