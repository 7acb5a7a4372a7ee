"""Seconds and memory from a trained model to a live bundle, by step.

    python -m benchmarks.export_time --movies 20000 --users 16000

Exports a model of that size whose weights were not trained but made: movies lie around the centres of
clusters, users' histories are of few clusters, popular movies have a bias. `--spread` is how far movies lie
from their centre, as a share of the centre's length; the farther, the longer an index is searched. Nothing is
kept. On a busy machine compare processor seconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe_machine, format_machine
from benchmarks.page import markdown_table
from service.bundle.manifest import read_manifest
from training.config import TrainingConfig
from training.data.assembly import assemble_movies, assemble_ratings
from training.data.table import RatingsTable
from training.export.bundle_export import export_bundle
from training.model.adaptation import adapt
from training.model.examples import ExampleSampler
from training.model.histories import Histories
from training.model.trained_model import TrainedModel, as_tensors
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import build_vocabulary

_CLUSTERS = 60
_CLUSTERS_OF_USER = 3
_MEAN_HISTORY = 30
_GIB = 2**20
"""`ru_maxrss` counts KiB."""


def main() -> None:
    """Export once and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--movies", type=int, default=20_000)
    parser.add_argument("--users", type=int, default=16_000)
    parser.add_argument("--spread", type=float, default=1.0)
    options = parser.parse_args()
    random = np.random.default_rng(0)
    clusters = random.integers(_CLUSTERS, size=options.movies).astype(np.int32)
    table = _table(clusters, options.users, random)
    trained = _model(table, clusters, options.spread, random)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    steps: list[tuple[str, float, float]] = []

    def note(name: str) -> None:
        steps.append((name, time.perf_counter(), _processor_seconds()))

    with tempfile.TemporaryDirectory() as directory:
        bundle = export_bundle(
            *(trained, table, None, Path(directory)),
            note,
            on_progress=lambda what: print(f"  {what}", file=sys.stderr),  # noqa: T201 progress of a script
        )
        note("all")
        index = read_manifest(bundle).index.to_document()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    rows = [
        [name, f"{end - begun:.1f}", f"{cpu_end - cpu_begun:.1f}"]
        for (name, begun, cpu_begun), (_, end, cpu_end) in pairwise(steps)
    ]
    (_, first, cpu_first), (_, last, cpu_last) = steps[0], steps[-1]
    rows.append(["all", f"{last - first:.1f}", f"{cpu_last - cpu_first:.1f}"])
    machine = format_machine(describe_machine(["tensorflow-cpu", "annoy", "numpy"]))
    sys.stdout.write(
        f"{options.movies:,} movies, {options.users:,} users, {table.num_ratings:,} ratings, spread "
        f"{options.spread:g}; {index}; memory grew by {grown / _GIB:.2f} GiB, the largest process that "
        f"verified took {children / _GIB:.2f} GiB; {machine}\n\n"
        f"{markdown_table(['step:', 'seconds', 'of it processor'], rows)}\n"
    )


def _processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def _table(clusters: NDArray[np.int32], num_users: int, random: np.random.Generator) -> RatingsTable:
    """Ratings of users who each watch movies of a few clusters, the popular ones oftener."""
    num_movies = len(clusters)
    popularity = 1 / (1 + random.permutation(num_movies)) ** 0.8
    by_cluster = [np.flatnonzero(clusters == cluster) for cluster in range(_CLUSTERS)]
    users, movies = [], []
    for user in range(num_users):
        own = np.concatenate([by_cluster[each] for each in random.choice(_CLUSTERS, _CLUSTERS_OF_USER)])
        length = 1 + int(random.exponential(_MEAN_HISTORY))
        drawn = np.unique(random.choice(own, length, p=popularity[own] / popularity[own].sum()))
        movies.append(drawn)
        users.append(np.full(len(drawn), user))
    rows = np.concatenate(movies)
    return assemble_ratings(
        user_ids=[str(user) for user in range(num_users)],
        user_codes=np.concatenate(users),
        movies=assemble_movies(
            [f"{movie:08}" for movie in range(num_movies)],
            [f"Movie of {movie} ({1950 + movie % 70})" for movie in range(num_movies)],
            [[f"Genre {cluster % 18}"] for cluster in clusters.tolist()],
        ),
        movie_rows=rows,
        stars=random.integers(1, 6, len(rows)).astype(np.float32),
        timestamps=random.integers(1_000_000_000, 1_700_000_000, len(rows)),
        user_features={},
        name="made up",
        source="benchmarks.export_time",
    )


def _model(
    table: RatingsTable, clusters: NDArray[np.int32], spread: float, random: np.random.Generator
) -> TrainedModel:
    config = adapt(TrainingConfig(), table)
    keras.utils.set_random_seed(config.seed)
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    model = TwoTowerModel(vocabulary, config)
    model(as_tensors(next(ExampleSampler(histories, config).batches())))
    centres = random.normal(size=(_CLUSTERS, config.embedding_dimension))
    noise = random.normal(size=(len(clusters), config.embedding_dimension))
    movies = 0.2 * (centres[clusters] + spread * noise)
    model.candidate_tower._ids.assign(movies)
    model.candidate_tower._bias.assign(np.log1p(table.movie_counts) / 2)
    model.query_tower._presence.assign(movies)
    return TrainedModel(model, vocabulary, histories, config, {})


if __name__ == "__main__":
    main()
