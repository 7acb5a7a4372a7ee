"""Epoch times of the [64, 32] model of the deep retrieval tutorial in this project.

`python -m benchmarks.deep_retrieval_matinee EPOCHS` prints the seconds of each epoch as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace

import keras
import numpy as np

from training.data.sources import load_ratings
from training.experiments.depth import CONFIG
from training.experiments.rating_rows import Epoch, TutorialData
from training.experiments.tutorial_fitting import EpochGraph
from training.experiments.tutorial_model import TutorialModel


def main() -> None:
    """Train and print the times; an epoch includes shuffling and batching its rows."""
    config = replace(CONFIG, layers=(64, 32))
    keras.utils.set_random_seed(config.seed)
    random = np.random.default_rng(config.seed)
    data = TutorialData.from_table(load_ratings(), config.time_buckets)
    graph = EpochGraph(TutorialModel(data.num_users, data.titles, config), config.learning_rate)
    seconds = []
    for _ in range(int(sys.argv[1])):
        started = time.perf_counter()
        graph.train(Epoch.shuffled(data.train, config.batch_size, len(data.titles), random))
        seconds.append(time.perf_counter() - started)
    sys.stdout.write(json.dumps(seconds) + "\n")


if __name__ == "__main__":
    main()
