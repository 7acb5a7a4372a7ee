"""Measure quality for cold-start users by the number of ratings they send."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.query_encoding import QueryInputs
from training.config import TrainingConfig
from training.data.table import RatingsTable, tie_order
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.held_out import HeldOut
from training.evaluation.query_evaluation import evaluate_ratings, evaluate_retrieval
from training.model.epoch_record import OnEpoch
from training.model.fitting import fit_model
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

GIVEN = (0, 1, 3, 5, 10)
"""Numbers of ratings that a cold-start user sends."""

_SHARE = 0.1


def cold_start(
    held_out: HeldOut, config: TrainingConfig, on_epoch: OnEpoch | None = None
) -> dict[str, Any] | None:
    """Train without a tenth of the users, then query for each of them as the service does.

    A cold-start user sends n of their training ratings, oldest first, without times; the answer is measured
    on all their test rows, the n movies excluded. Without ratings the service answers the popular list. The
    first n are what a new user has, but most of the movies watched next are in neither the n nor the test
    rows; the latest n are those just before the test rows. The users are drawn with the configuration's seed
    from those with at least `max(GIVEN)` training ratings, so that every n is measured on the same users.

    Returns:
        A JSON document: `users` and `test_ratings` measured on, and as `first` and as `latest` the measures
        of each number of `ratings`. None where there is no such user, or where fewer than two ratings would
        be left to train on.

    Raises:
        TrainingDiverged: As `fit_model` does.
    """
    train, test = held_out.train, held_out.test
    users = draw_cold_start_users(train, test, config.seed)
    others = train.take(np.flatnonzero(~np.isin(train.user_rows, users)))
    if not len(users) or len(others) < 2:
        return None
    trained = fit_model(others, config, on_epoch)
    own = train.take(np.flatnonzero(np.isin(train.user_rows, users)))
    wanted = test.take(np.flatnonzero(np.isin(test.user_rows, users)))
    return {
        "users": len(users),
        "test_ratings": len(wanted),
        **{
            which: [
                {"ratings": given, **_measure(trained, sent_ratings(own, given, which), wanted)}
                for given in GIVEN
            ]
            for which in ("first", "latest")
        },
    }


def draw_cold_start_users(train: RatingsTable, test: RatingsTable, seed: int) -> NDArray[np.int64]:
    """Draw a tenth, at least one, of the users (rows) with ten training ratings and a test row."""
    eligible = np.intersect1d(
        np.flatnonzero(np.bincount(train.user_rows, minlength=train.num_users) >= max(GIVEN)), test.user_rows
    )
    drawn = min(len(eligible), max(1, round(_SHARE * len(eligible))))
    return np.sort(np.random.default_rng(seed).choice(eligible, drawn, replace=False))


def sent_ratings(table: RatingsTable, given: int, which: str) -> RatingsTable:
    """Take each user's `first` or `latest` ratings by time, then `tie_order`, as many as are given."""
    sign = 1 if which == "first" else -1
    ties = np.empty(len(table), np.int64)
    ties[np.argsort(tie_order(table.user_rows, table.movie_rows))] = np.arange(len(table))
    order = np.lexsort((sign * ties, sign * table.timestamps, table.user_rows))
    counts = np.bincount(table.user_rows)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return table.take(order[np.arange(len(table)) - starts < given])


def _measure(trained: TrainedModel, given: RatingsTable, wanted: RatingsTable) -> dict[str, float]:
    # Without ratings: the users are not in the model's own histories either.
    sent = Histories.from_table(given) if len(given) else trained.histories

    def inputs(user_rows: NDArray[np.int32]) -> QueryInputs:
        stored = sent.query_inputs(user_rows, trained.config.max_history)
        return stored | {
            "user_rows": np.full_like(user_rows, NO_ROW),
            "history_timestamps": np.full_like(stored["history_timestamps"], NO_TIMESTAMP),
        }

    def score(user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        return trained.embed_queries(inputs(user_rows)) @ trained.candidate_embeddings.T

    def predict(user_rows: NDArray[np.int32], movies: NDArray[np.int32]) -> NDArray[np.float32]:
        return trained.predict_ratings(inputs(user_rows), movies)

    popular = Popularity(trained.histories)
    found = evaluate_retrieval(score if len(given) else popular.score, sent, wanted)
    return (found | evaluate_ratings(predict, sent, wanted)).measures()
