"""Train a model on the training rows of a split and measure it on the test rows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.analysis import analyse
from training.evaluation.held_out import HeldOut
from training.evaluation.held_out_users import seen_movies
from training.evaluation.metrics import HitRate, ranks
from training.evaluation.model_answers import ratings_of, scores_of
from training.evaluation.query_evaluation import evaluate_ratings, evaluate_retrieval
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.user_sums import UserSums
from training.evaluation.validation_quality import VALIDATION_MEASURES
from training.export.index_recall import build_measured_index
from training.export.sampled_queries import sample_queries
from training.model.epoch_record import OnEpoch, Validate
from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel
from training.model.warm_start import WarmStart

_ROWS_AT_ONCE = 512
_MOST_TIMED_ROWS = 50_000
_VALIDATED_USERS = 256

MeasureModel = Callable[[TrainedModel, RatingsTable, RecommendedLists], UserSums]
"""Measures a model as `evaluate_model` does."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A trained model's measures.

    Attributes:
        document: A JSON document: what `HeldOut.to_document` counts, `seed`, `fit_seconds` by the clock and
            `fit_processor_seconds` of all threads, `model` (measures by name), `lists` (see
            `RecommendedLists`), `analysis` (see `analyse`), and `losses` and `validation` by epoch (see
            `TrainedModel`); `index` (see `build_measured_index`) if it was measured.
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
    warm: WarmStart | None = None,
    measure: MeasureModel | None = None,
) -> Evaluation:
    """Train on the training rows of a split and measure on its test rows.

    Args:
        held_out: Both.
        config: Hyper-parameters.
        on_epoch: Called after every epoch.
        measure_index: Whether to build the index as export would, and measure its recall.
        warm: What training begins with, see `fit_model`.
        measure: In place of `evaluate_model`, such as on a cluster.
    """
    test = held_out.test
    started, processor_started = time.perf_counter(), time.process_time()
    trained = fit_model(held_out.train, config, on_epoch, validation_on(test), warm=warm)
    fit_seconds = time.perf_counter() - started
    processor_seconds = time.process_time() - processor_started
    lists = RecommendedLists(trained.histories, test.movies)
    sums = (measure or evaluate_model)(trained, test, lists)
    document = {
        **held_out.to_document(),
        "measured_utc": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "seed": config.seed,
        "fit_seconds": round(fit_seconds, 2),
        "fit_processor_seconds": round(processor_seconds, 2),
        "model": sums.measures() | measures_with_time(trained, test),
        "lists": lists.result(),
        "analysis": analyse(trained, test),
        "losses": trained.losses,
        "validation": trained.validation,
    }
    if measure_index:
        document["index"] = _measure_index(trained)
    return Evaluation(document, sums)


def sample_users(test: RatingsTable, most_users: int) -> RatingsTable:
    """Take the rows of at most so many users, drawn at random."""
    users = np.unique(test.user_rows)
    if len(users) > most_users:
        users = np.random.default_rng(0).choice(users, most_users, replace=False)
    return test.take(np.flatnonzero(np.isin(test.user_rows, users)))


def validation_on(test: RatingsTable) -> Validate:
    """Make a validation on held-out rows of so many users that it takes a fraction of an epoch."""
    sample = sample_users(test, _VALIDATED_USERS)

    def validate(trained: TrainedModel) -> dict[str, float]:
        found = evaluate_model(trained, sample).measures()
        return {name: found[name] for name in VALIDATION_MEASURES if name in found}

    return validate


def evaluate_model(
    trained: TrainedModel, test: RatingsTable, lists: RecommendedLists | None = None
) -> UserSums:
    """Measure a model by one query without a time per user; add what it recommends to `lists`, if any."""
    retrieval = evaluate_retrieval(scores_of(trained), trained.histories, test, lists)
    return retrieval | evaluate_ratings(ratings_of(trained), trained.histories, test)


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
