"""A model of `synthetic_ratings.two_tastes`, trained and exported once for all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from synthetic_ratings import SMALL_CONFIG, two_tastes

from training.data.splits import Split, temporal_split
from training.data.table import RatingsTable
from training.evaluation import evaluate_baselines, evaluate_model
from training.export import export_bundle
from training.fitting import TrainedModel, fit_model


@pytest.fixture(scope="session")
def tastes() -> RatingsTable:
    """`two_tastes` whole."""
    return two_tastes()


@pytest.fixture(scope="session")
def tastes_split(tastes: RatingsTable) -> Split:
    return temporal_split(tastes)


@pytest.fixture(scope="session")
def train_table(tastes: RatingsTable, tastes_split: Split) -> RatingsTable:
    return tastes.take(tastes_split.train)


@pytest.fixture(scope="session")
def test_table(tastes: RatingsTable, tastes_split: Split) -> RatingsTable:
    return tastes.take(tastes_split.test)


@pytest.fixture(scope="session")
def trained(train_table: RatingsTable) -> TrainedModel:
    """What `train_table` teaches with `SMALL_CONFIG`."""
    return fit_model(train_table, SMALL_CONFIG)


@pytest.fixture(scope="session")
def measured(trained: TrainedModel, train_table: RatingsTable, test_table: RatingsTable) -> dict[str, Any]:
    """What `evaluate_split` would return of `trained`."""
    return {
        "split": "temporal",
        "train_ratings": len(train_table),
        "test_ratings": len(test_table),
        "seed": SMALL_CONFIG.seed,
        "fit_seconds": 1.25,
        "model": evaluate_model(trained, test_table),
        "baselines": evaluate_baselines(train_table, test_table, trained.histories),
        "losses": trained.losses,
    }


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
