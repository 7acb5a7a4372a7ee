"""Ratings of three users, measures of them for which nothing is trained, and a store beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import table_of

from service.live import store
from service.live.events import Event
from service.live.migration import migrate
from service.live.sqlite_database import SqliteDatabase
from training import evaluation_pipeline, measuring
from training.cli import data_loading
from training.config import TrainingConfig
from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.comparison import MEASURES
from training.evaluation.held_out import HeldOut
from training.evaluation.split_evaluation import Evaluation
from training.evaluation.user_sums import UserSums


def measure_without_training(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have whatever is loaded be these ratings, and every measure a hundredth of the seed.

    Returns:
        Seeds that would have been trained with; it grows.
    """
    used: list[int] = []

    def evaluate(
        held_out: HeldOut, config: TrainingConfig, on_epoch: Any, *, measure_index: bool = False, **_: Any
    ) -> Evaluation:
        used.append(config.seed)
        for epoch in range(config.epochs):
            on_epoch(epoch + 1, {"loss": 1.0, "rating_loss": 0.5})
        document = {
            **held_out.to_document(),
            "measured_utc": "2026-11-21T06:00:00Z",
            "seed": config.seed,
            "fit_seconds": 1.0,
            **({"index": {"recall_at_10": 1.0}} if measure_index else {}),
            "model": dict.fromkeys(MEASURES, config.seed / 100),
            "losses": {},
        }
        users = len(np.unique(held_out.test.user_rows))
        return Evaluation(document, sums_of(config.seed / 100, users))

    def evaluate_baselines(held_out: HeldOut) -> dict[str, Baseline | None]:
        users = len(np.unique(held_out.test.user_rows))
        return {"popularity": None, "ease": None, "biases": Baseline(sums_of(0.5, users, "rmse"))}

    monkeypatch.setattr(measuring, "evaluate_split", evaluate)
    monkeypatch.setattr(measuring, "evaluate_baselines", evaluate_baselines)
    monkeypatch.setattr(evaluation_pipeline, "cold_start", lambda *_: None)
    table = table_of([(str(user), str(movie), 3.0, movie) for user in range(3) for movie in range(5)])
    monkeypatch.setattr(data_loading, "load", lambda _source, _dataset: table)
    return used


def sums_of(value: float, users: int, *measures: str) -> UserSums:
    """Sums of users who all have the same measures, by default NDCG and RMSE."""
    both = {"ndcg_at_10": np.full(users, value), "rmse": np.full(users, value**2)}
    sums = {name: both[name] for name in measures or both}
    return UserSums(sums, {name: np.ones(users) for name in sums})


def store_beside(directory: Path) -> Path:
    """A store with a rating by a new user, in which user "2" was forgotten."""
    path = directory / "feedback.sqlite3"
    database = SqliteDatabase(path)
    migrate(database)
    with database.borrow() as connection, connection.transaction():
        key = store.key_of(connection)
        store.apply(connection, [Event("new", "1", "rating", 5, 9)], now=1_000, key=key)
        store.forget(connection, "2", now=1_000, key=key)
    return path
