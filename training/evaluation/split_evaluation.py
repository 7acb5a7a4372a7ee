"""Measure a model and the baselines on held-out rows."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.analysis import analyse
from training.evaluation.baselines.biases import Biases
from training.evaluation.baselines.ease import EASE_MAX_CANDIDATES, Ease
from training.evaluation.baselines.popularity import RECENT_DAYS, Popularity, RecentPopularity
from training.evaluation.held_out import HeldOut
from training.evaluation.held_out_users import held_out_users, padded_movies, seen_movies
from training.evaluation.metrics import HitRate, Ranks, ranks, ranks_of_user
from training.evaluation.model_answers import (
    Predict,
    Score,
    popular_for_cold_start,
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


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A trained model's measures.

    Attributes:
        document: A JSON document: what `HeldOut.to_document` counts, `seed`, `fit_seconds` by the clock and
            `fit_processor_seconds` of all threads, `model` (measures by name), `analysis` (see `analyse`),
            and `losses` and `validation` by epoch (see `TrainedModel`); `index` (see `build_measured_index`)
            if it was measured.
        sums: Of each user with test rows, without a time.
    """

    document: dict[str, Any]
    sums: UserSums


def evaluate_split(
    held_out: HeldOut,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    *,
    measure_index: bool = False,
) -> Evaluation:
    """Train on the training rows of a split and measure on its test rows.

    Args:
        held_out: Both.
        config: Hyper-parameters.
        on_epoch: Called after every epoch.
        measure_index: Whether to build the index as export would, and measure its recall.
    """
    test = held_out.test
    started, processor_started = time.perf_counter(), time.process_time()
    trained = fit_model(held_out.train, config, on_epoch, validation_on(test))
    fit_seconds = time.perf_counter() - started
    processor_seconds = time.process_time() - processor_started
    sums = evaluate_model(trained, test)
    document = {
        **held_out.to_document(),
        "measured_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seed": config.seed,
        "fit_seconds": round(fit_seconds, 2),
        "fit_processor_seconds": round(processor_seconds, 2),
        "model": sums.measures() | measures_with_time(trained, test),
        "analysis": analyse(trained, test),
        "losses": trained.losses,
        "validation": trained.validation,
    }
    if measure_index:
        document["index"] = _measure_index(trained)
    return Evaluation(document, sums)


def validation_on(test: RatingsTable, *, most_users: int = _VALIDATED_USERS) -> Validate:
    """Make a validation on held-out rows of so many users that it takes a fraction of an epoch."""
    users = np.unique(test.user_rows)
    if len(users) > most_users:
        users = np.random.default_rng(0).choice(users, most_users, replace=False)
    sample = test.take(np.flatnonzero(np.isin(test.user_rows, users)))

    def validate(trained: TrainedModel) -> dict[str, float]:
        found = evaluate_model(trained, sample).measures()
        return {name: found[name] for name in _VALIDATED if name in found}

    return validate


def evaluate_model(trained: TrainedModel, test: RatingsTable) -> UserSums:
    """Measure a model by one query without a time per user."""
    retrieval = evaluate_retrieval(scores_of(trained), trained.histories, test)
    return retrieval | evaluate_ratings(ratings_of(trained), trained.histories, test)


def evaluate_baselines(held_out: HeldOut) -> dict[str, UserSums | None]:
    """Measure popularity, with times of the last days too, EASE and biases.

    Users without training rows get the popular list from EASE. EASE is None where the
    rated movies are too many for it.
    """
    train, test = held_out.train, held_out.test
    histories = Histories.from_table(train)
    scores: dict[str, Score] = {"popularity": Popularity(histories).score}
    if train.has_times:
        for days in RECENT_DAYS:
            scores[f"popularity_{days}_days"] = RecentPopularity(train, days).score
    found: dict[str, UserSums | None] = {
        name: evaluate_retrieval(score, histories, test) for name, score in scores.items()
    }
    found["ease"] = None
    if np.count_nonzero(histories.movie_counts) <= EASE_MAX_CANDIDATES:
        ease = popular_for_cold_start(Ease(histories).score, histories)
        found["ease"] = evaluate_retrieval(ease, histories, test)
    if train.is_rated.any():
        found["biases"] = squared_errors(Biases(train).predict(test), test)
    return found


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


def measures_with_time(trained: TrainedModel, test: RatingsTable) -> dict[str, float]:
    """Measure one query per test row, at the time of that row; of a sample where there are very many.

    Empty without times.
    """
    if not test.has_times:
        return {}
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
