"""A model of `synthetic_ratings.two_clusters`, trained and exported once for all tests."""

from __future__ import annotations

import os
import subprocess
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG, two_clusters
from three_users import measure_without_training

from service.loading import load_recommender
from service.settings import Settings
from training.data.splits import Split, temporal_split
from training.data.table import RatingsTable
from training.evaluation.analysis import analyse
from training.evaluation.baseline_evaluation import Baseline, evaluate_baselines
from training.evaluation.held_out import HeldOut
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.seeds import mean_of_runs
from training.evaluation.split_evaluation import (
    Evaluation,
    evaluate_model,
    measures_with_time,
    validation_on,
)
from training.export.bundle_export import export_bundle
from training.export.verification import verify
from training.model.examples import ExampleSampler
from training.model.fitting import fit_model
from training.model.histories import Histories
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import build_vocabulary

MakeModel = Callable[..., TrainedModel]


@pytest.fixture(scope="session")
def clusters() -> RatingsTable:
    """`two_clusters` whole."""
    return two_clusters()


@pytest.fixture(scope="session")
def clusters_split(clusters: RatingsTable) -> Split:
    return temporal_split(clusters)


@pytest.fixture(scope="session")
def train_table(clusters: RatingsTable, clusters_split: Split) -> RatingsTable:
    return clusters.take(clusters_split.train)


@pytest.fixture(scope="session")
def test_table(clusters: RatingsTable, clusters_split: Split) -> RatingsTable:
    return clusters.take(clusters_split.test)


@pytest.fixture(scope="session")
def trained(train_table: RatingsTable, test_table: RatingsTable) -> TrainedModel:
    """What `train_table` teaches with `SMALL_CONFIG`."""
    return fit_model(train_table, SMALL_CONFIG, validate=validation_on(test_table))


@pytest.fixture(scope="session")
def clusters_held_out(train_table: RatingsTable, test_table: RatingsTable) -> HeldOut:
    """Both parts of `clusters_split`."""
    return HeldOut("temporal", train_table, test_table, 120)


@pytest.fixture(scope="session")
def evaluation(trained: TrainedModel, clusters_held_out: HeldOut) -> Evaluation:
    """What `evaluate_split` would return of `trained`."""
    test, lists = clusters_held_out.test, RecommendedLists(trained.histories, clusters_held_out.test.movies)
    sums = evaluate_model(trained, test, lists)
    document = {
        **clusters_held_out.to_document(),
        "measured_utc": "2026-11-21T06:00:00Z",
        "seed": SMALL_CONFIG.seed,
        "fit_seconds": 1.25,
        "fit_processor_seconds": 2.5,
        "model": sums.measures() | measures_with_time(trained, test),
        "lists": lists.result(),
        "analysis": analyse(trained, test),
        "losses": trained.losses,
        "validation": trained.validation,
    }
    return Evaluation(document, sums)


@pytest.fixture(scope="session")
def baselines(clusters_held_out: HeldOut) -> dict[str, Baseline | None]:
    return evaluate_baselines(clusters_held_out)


@pytest.fixture(scope="session")
def measured(evaluation: Evaluation, baselines: dict[str, Baseline | None]) -> dict[str, Any]:
    """What is kept of one run with `trained`."""
    return mean_of_runs([evaluation], baselines)


@pytest.fixture(scope="session")
def bundle(
    trained: TrainedModel,
    train_table: RatingsTable,
    measured: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The bundle of `trained`, exported under an unfriendly umask; only to be read."""
    artifacts = tmp_path_factory.mktemp("exported") / "new" / "artifacts"
    inherited = os.umask(0o077)
    try:
        return export_bundle(trained, train_table, measured, artifacts)
    finally:
        os.umask(inherited)


@pytest.fixture(scope="session")
def make_model(train_table: RatingsTable) -> MakeModel:
    """Makes models with random weights: all the arithmetic of a trained one, without the wait.

    Arguments are what differs from `SMALL_CONFIG`, and `table`, by default `train_table`.
    """

    def make(table: RatingsTable = train_table, **changes: Any) -> TrainedModel:
        config = replace(SMALL_CONFIG, **changes)
        keras.utils.set_random_seed(1)
        histories = Histories.from_table(table)
        vocabulary = build_vocabulary(table, histories, config)
        model = TwoTowerModel(vocabulary, config)
        batch = next(ExampleSampler(histories, config).batches())
        model({name: tf.constant(values) for name, values in batch.items()})
        random = np.random.default_rng(2)
        for variable in model.trainable_variables:
            variable.assign(random.normal(0, 0.3, variable.shape))
        return TrainedModel(model, vocabulary, histories, config, {})

    return make


@pytest.fixture(scope="session")
def random_model(make_model: MakeModel) -> TrainedModel:
    """`make_model` with nothing changed; only to be read."""
    return make_model()


@pytest.fixture
def verify_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verifies what a test exports in this process: a fresh one takes seconds, `bundle` had both."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        try:
            if command[-2] == "--verify":
                load_recommender(Path(command[-1]), Settings())
            else:
                verify(Path(command[-2]), Path(command[-1]))
        except Exception:  # noqa: BLE001 whatever it is, a process would end with it
            return subprocess.CompletedProcess(command, 1, "", traceback.format_exc())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds that `evaluate` and `fit` measured with, see `three_users`; nothing is trained for it."""
    return measure_without_training(monkeypatch)


@pytest.fixture
def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares short fits the seconds in which TensorFlow builds a graph."""
    compile_graph = TwoTowerModel.compile

    def compile_nothing(model: TwoTowerModel, **arguments: Any) -> None:
        compile_graph(model, run_eagerly=True, **arguments)

    monkeypatch.setattr(TwoTowerModel, "compile", compile_nothing)
