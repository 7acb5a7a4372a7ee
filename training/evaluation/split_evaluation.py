"""Measure a model and the baselines on held-out rows."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.splits import Split
from training.data.table import RatingsTable
from training.evaluation.analysis import analyse
from training.evaluation.baselines.biases import Biases
from training.evaluation.baselines.ease import EASE_MAX_CANDIDATES, Ease
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.held_out import hold_out
from training.evaluation.held_out_users import held_out_users, padded_movies, seen_movies
from training.evaluation.metrics import HitRate, Ranks, ranks, ranks_of_user
from training.evaluation.model_answers import (
    Predict,
    Score,
    popular_for_strangers,
    ratings_of,
    scores_of,
)
from training.evaluation.user_sums import UserSums, joined, retrieval_sums, sum_by_user
from training.export.index_recall import build_measured_index, sample_queries
from training.model.fitting import OnEpoch, Validate, fit_model
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

_ROWS_AT_ONCE = 512
_MOST_TIMED_ROWS = 50_000
_VALIDATED_USERS = 256
_VALIDATED = ("hit_rate_at_100", "ndcg_at_10", "rmse")


def evaluate_split(
    table: RatingsTable,
    split: Split,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    *,
    measure_index: bool = False,
) -> dict[str, Any]:
    """Train on the split's training rows and measure on its test rows.

    Args:
        table: All ratings.
        split: Training and test rows.
        config: Hyper-parameters.
        on_epoch: Called after every epoch.
        measure_index: Whether to build the index as export would, and measure its recall.

    Returns:
        A JSON document: what `HeldOut.to_document` counts, `seed`, `fit_seconds`, `model` and `baselines`
        (measures by name; null where not computed), `analysis` (see `analyse`), and `losses` and `validation`
        by epoch (see `TrainedModel`); `index` (see `build_measured_index`) if it is measured.

    Raises:
        NothingHeldOut: The split leaves too few rows.
    """
    held_out = hold_out(table, split)
    train, test = held_out.train, held_out.test
    started = time.perf_counter()
    trained = fit_model(train, config, on_epoch, validation_on(test))
    fit_seconds = time.perf_counter() - started
    measured = {
        **held_out.to_document(),
        "measured_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seed": config.seed,
        "fit_seconds": round(fit_seconds, 2),
        "model": evaluate_model(trained, test),
        "baselines": evaluate_baselines(train, test, trained.histories),
        "analysis": analyse(trained, test),
        "losses": trained.losses,
        "validation": trained.validation,
    }
    return measured | ({"index": _measure_index(trained)} if measure_index else {})


def validation_on(test: RatingsTable) -> Validate:
    """Make a validation on held-out rows of at most 256 users, so that it takes a fraction of an epoch."""
    users = np.unique(test.user_rows)
    if len(users) > _VALIDATED_USERS:
        users = np.random.default_rng(0).choice(users, _VALIDATED_USERS, replace=False)
    sample = test.take(np.flatnonzero(np.isin(test.user_rows, users)))

    def validate(trained: TrainedModel) -> dict[str, float]:
        found = _evaluate_without_time(trained, sample).measures()
        return {name: found[name] for name in _VALIDATED if name in found}

    return validate


def evaluate_model(trained: TrainedModel, test: RatingsTable) -> dict[str, float]:
    """Measure a model by one query without a time per user, then, with times, by each row at its own."""
    without_time = _evaluate_without_time(trained, test).measures()
    return without_time | (_evaluate_with_time(trained, test) if test.has_times else {})


def evaluate_baselines(train: RatingsTable, test: RatingsTable, histories: Histories) -> dict[str, Any]:
    """Measure popularity, EASE and biases; EASE is null where the catalogue is too large for it.

    Users without training rows get the popular list from EASE, as from the model.
    """
    biases = Biases(train)
    popularity = Popularity(histories)
    ease = None
    if train.num_movies <= EASE_MAX_CANDIDATES:
        ease = popular_for_strangers(Ease(histories).score, histories)
    return {
        "popularity": evaluate_retrieval(popularity.score, histories, test).measures(),
        "ease": None if ease is None else evaluate_retrieval(ease, histories, test).measures(),
        "biases": squared_errors(biases.predict(test), test).measures(),
    }


def evaluate_retrieval(score: Score, histories: Histories, test: RatingsTable) -> UserSums:
    """Rank every test movie for its user among all candidates and among those not in the history."""
    groups = []
    for user_rows, rows_of_users in held_out_users(histories, test):
        scores = score(user_rows)
        both = [
            ranks_of_user(of_user, test.movie_rows[rows], histories.history_of(user).rows)
            for of_user, user, rows in zip(scores, user_rows.tolist(), rows_of_users, strict=True)
        ]
        unseen, among_all = (
            Ranks(*(np.concatenate([getattr(of, name) for of in side]) for name in ("better", "tied")))
            for side in zip(*both, strict=True)
        )
        groups.append(retrieval_sums(unseen, among_all, np.array([len(rows) for rows in rows_of_users])))
    return joined(groups)


def evaluate_ratings(predict: Predict, histories: Histories, test: RatingsTable) -> UserSums:
    """Compare predicted with true stars over the rated test rows, one query per user."""
    predicted = np.zeros(len(test))
    for user_rows, rows_of_users in held_out_users(histories, test):
        of_users = predict(user_rows, padded_movies(test, rows_of_users))
        for of_user, rows in zip(of_users, rows_of_users, strict=True):
            predicted[rows] = of_user[: len(rows)]
    return squared_errors(predicted, test)


def squared_errors(predicted: NDArray[np.float64], test: RatingsTable) -> UserSums:
    """Sum by user what rated test rows add to the RMSE; `predicted` are stars, `[num_rows]`."""
    present, users = np.unique(test.user_rows, return_inverse=True)
    squares = np.where(test.is_rated, (predicted - test.stars) ** 2, 0.0)
    rated = test.is_rated.astype(np.float64)
    return UserSums(
        {"rmse": sum_by_user(users, squares, len(present))}, {"rmse": sum_by_user(users, rated, len(present))}
    )


def _evaluate_without_time(trained: TrainedModel, test: RatingsTable) -> UserSums:
    histories = trained.histories
    return evaluate_retrieval(scores_of(trained), histories, test) | evaluate_ratings(
        ratings_of(trained), histories, test
    )


def _evaluate_with_time(trained: TrainedModel, test: RatingsTable) -> dict[str, float]:
    """Measure one query per test row, at the time of that row; of a sample where there are very many."""
    if len(test) > _MOST_TIMED_ROWS:
        test = test.take(np.random.default_rng(0).choice(len(test), _MOST_TIMED_ROWS, replace=False))
    histories = trained.histories
    accuracy, hit_rate = HitRate(100), HitRate(100)
    user_rows = histories.positions(test.num_users)[test.user_rows]
    for start in range(0, len(test), _ROWS_AT_ONCE):
        at = slice(start, start + _ROWS_AT_ONCE)
        scores = scores_of(trained, test.timestamps[at])(user_rows[at])
        accuracy.update(ranks(scores, test.movie_rows[at]))
        hit_rate.update(ranks(scores, test.movie_rows[at], seen_movies(histories, user_rows[at])))
    return {
        "top_100_accuracy_with_time": accuracy.result(),
        "hit_rate_at_100_with_time": hit_rate.result(),
    }


def _measure_index(trained: TrainedModel) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        return build_measured_index(
            Path(directory), trained.candidate_embeddings, sample_queries(trained), seed=trained.config.seed
        ).to_document()
