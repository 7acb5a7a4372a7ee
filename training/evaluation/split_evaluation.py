"""Measure a model and the baselines on held-out rows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.splits import Split
from training.data.table import RatingsTable
from training.errors import DataError
from training.evaluation.analysis import analyse
from training.evaluation.baselines.biases import Biases
from training.evaluation.baselines.ease import EASE_MAX_CANDIDATES, Ease
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.held_out_users import held_out_users, padded_movies, seen_movies
from training.evaluation.metrics import HitRate, RetrievalMetrics, RootMeanSquaredError, ranks
from training.export.index_recall import build_measured_index
from training.export.sampled_queries import sample_queries
from training.model.fitting import OnEpoch, Validate, fit_model
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

Score = Callable[[NDArray[np.int32]], NDArray[np.float32]]
"""Users, int32 `[B]` (`NO_ROW` for cold-start users), to scores of all candidates, float32 `[B, C]`."""

Predict = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.float32]]
"""Users, as above, and movies, int32 `[B, K]`, to stars, float32 `[B, K]`."""

_ROWS_AT_ONCE = 512
_VALIDATED_USERS = 256


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
        A JSON document: `split`, `train_ratings`, `test_ratings`, `seed`, `fit_seconds`, `model` and
        `baselines` (measures by name; null where not computed), `analysis` (see `analyse`), and `losses` and
        `validation` by epoch (see `TrainedModel`); `index` (see `build_measured_index`) if it is measured.

    Raises:
        DataError: No row is held out, as where no user has rated three movies.
    """
    train, test = table.take(split.train), table.take(split.test)
    if len(test) == 0:
        raise DataError(
            f"{table.name}: expected ratings held out by the {split.name} split, got none of {len(table)}: "
            "too few for each user; take the other split, or `fit --evaluate none`"
        )
    started = time.perf_counter()
    trained = fit_model(train, config, on_epoch, validation_on(test))
    fit_seconds = time.perf_counter() - started
    measured = {
        "split": split.name,
        "measured_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "train_ratings": len(train),
        "test_ratings": len(test),
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
        retrieval = evaluate_retrieval(_scores_of(trained), trained.histories, sample)
        return {
            "hit_rate_at_100": retrieval["hit_rate_at_100"],
            "ndcg_at_10": retrieval["ndcg_at_10"],
            "rmse": evaluate_ratings(_ratings_of(trained), trained.histories, sample),
        }

    return validate


def evaluate_model(trained: TrainedModel, test: RatingsTable) -> dict[str, float]:
    """Measure a model by one query without a time per user, then by each row at its own time."""
    return {
        **evaluate_retrieval(_scores_of(trained), trained.histories, test),
        "rmse": evaluate_ratings(_ratings_of(trained), trained.histories, test),
        **_evaluate_with_time(trained, test),
    }


def evaluate_baselines(train: RatingsTable, test: RatingsTable, histories: Histories) -> dict[str, Any]:
    """Measure popularity, EASE and biases; EASE is null where the catalogue is too large for it."""
    error = RootMeanSquaredError()
    error.update(Biases(train).predict(test)[test.is_rated], test.stars[test.is_rated])
    popularity = Popularity(histories)
    ease = Ease(histories) if train.num_movies <= EASE_MAX_CANDIDATES else None
    return {
        "popularity": evaluate_retrieval(popularity.score, histories, test),
        "ease": None if ease is None else evaluate_retrieval(ease.score, histories, test),
        "biases": {"rmse": error.result()},
    }


def evaluate_retrieval(score: Score, histories: Histories, test: RatingsTable) -> dict[str, float]:
    """Rank every test movie for its user among all candidates and among those not in the history."""
    metrics = RetrievalMetrics()
    for user_rows, rows_of_users in held_out_users(histories, test):
        scores = score(user_rows)
        seen = seen_movies(histories, user_rows)
        for at, rows in enumerate(rows_of_users):
            movies = test.movie_rows[rows]
            mine = np.broadcast_to(scores[at], (len(movies), len(scores[at])))
            metrics.update(ranks(mine, movies, seen[at][None, :]), ranks(mine, movies))
    return metrics.results()


def evaluate_ratings(predict: Predict, histories: Histories, test: RatingsTable) -> float:
    """Compute the root mean squared error over all test rows, one query per user."""
    error = RootMeanSquaredError()
    for user_rows, rows_of_users in held_out_users(histories, test):
        predicted = predict(user_rows, padded_movies(test, rows_of_users))
        for at, rows in enumerate(rows_of_users):
            rated = test.is_rated[rows]
            error.update(predicted[at, : len(rows)][rated], test.stars[rows][rated])
    return error.result()


def _scores_of(trained: TrainedModel) -> Score:
    def score(user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        inputs = trained.histories.query_inputs(user_rows, trained.config.max_history)
        return trained.embed_queries(inputs) @ trained.candidate_embeddings.T

    return score


def _evaluate_with_time(trained: TrainedModel, test: RatingsTable) -> dict[str, float]:
    """Measure one query per test row, at the time of that row."""
    histories = trained.histories
    accuracy, hit_rate = HitRate(100), HitRate(100)
    user_rows = histories.positions(test.num_users)[test.user_rows]
    for start in range(0, len(test), _ROWS_AT_ONCE):
        at = slice(start, start + _ROWS_AT_ONCE)
        inputs = histories.query_inputs(user_rows[at], trained.config.max_history, test.timestamps[at])
        scores = trained.embed_queries(inputs) @ trained.candidate_embeddings.T
        accuracy.update(ranks(scores, test.movie_rows[at]))
        hit_rate.update(ranks(scores, test.movie_rows[at], seen_movies(histories, user_rows[at])))
    return {
        "top_100_accuracy_with_time": accuracy.result(),
        "hit_rate_at_100_with_time": hit_rate.result(),
    }


def _ratings_of(trained: TrainedModel) -> Predict:
    def predict(user_rows: NDArray[np.int32], movies: NDArray[np.int32]) -> NDArray[np.float32]:
        inputs = trained.histories.query_inputs(user_rows, trained.config.max_history)
        return trained.predict_ratings(inputs, movies)

    return predict


def _measure_index(trained: TrainedModel) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        return build_measured_index(
            Path(directory), trained.candidate_embeddings, sample_queries(trained), seed=trained.config.seed
        ).to_document()
