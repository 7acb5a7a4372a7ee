"""What the first few ratings of a person are worth to a model that never saw that person."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.config import TrainingConfig
from training.data.splits import Split
from training.data.table import RatingsTable
from training.evaluation.baselines.popularity import Popularity
from training.evaluation.split_evaluation import evaluate_ratings, evaluate_retrieval
from training.model.fitting import OnEpoch, TrainedModel, fit_model
from training.model.histories import Histories, QueryInputs

GIVEN = (0, 1, 3, 5, 10)
"""Numbers of ratings that a stranger sends."""

_SHARE = 0.1


def cold_start(
    table: RatingsTable, split: Split, config: TrainingConfig, on_epoch: OnEpoch | None = None
) -> dict[str, Any] | None:
    """Trains without a tenth of the users and asks for each of them as the service does for a stranger.

    A stranger sends n of their training ratings, oldest first, without times; what is found is measured on
    all their test rows, the n movies excluded. Without ratings the service answers the popular list. The
    first n are what somebody new has, but most of what they watched next is in neither the n nor the test
    rows; the latest n are what comes just before the test rows. Strangers are drawn with the configuration's
    seed from the users with as many training ratings as are ever sent, so that every n is measured on the
    same people.

    Returns:
        A JSON document: `users` and `test_ratings` measured on, and as `first` and as `latest` the measures
        of each number of `ratings`. None where no such user can be spared.

    Raises:
        TrainingDiverged: As `fit_model` does.
    """
    train, test = table.take(split.train), table.take(split.test)
    strangers = draw_strangers(train, test, config.seed)
    others = train.take(np.flatnonzero(~np.isin(train.user_rows, strangers)))
    if not len(strangers) or len(others) < 2:
        return None
    trained = fit_model(others, config, on_epoch)
    theirs = train.take(np.flatnonzero(np.isin(train.user_rows, strangers)))
    wanted = test.take(np.flatnonzero(np.isin(test.user_rows, strangers)))
    return {
        "users": len(strangers),
        "test_ratings": len(wanted),
        **{
            which: [
                {"ratings": given, **_measure(trained, sent_ratings(theirs, given, which), wanted)}
                for given in GIVEN
            ]
            for which in ("first", "latest")
        },
    }


def draw_strangers(train: RatingsTable, test: RatingsTable, seed: int) -> NDArray[np.int64]:
    """User rows of a tenth, at least one, of those with ten training ratings and a test row."""
    eligible = np.intersect1d(
        np.flatnonzero(np.bincount(train.user_rows, minlength=train.num_users) >= max(GIVEN)), test.user_rows
    )
    drawn = min(len(eligible), max(1, round(_SHARE * len(eligible))))
    return np.sort(np.random.default_rng(seed).choice(eligible, drawn, replace=False))


def sent_ratings(table: RatingsTable, given: int, which: str) -> RatingsTable:
    """Of each user the `first` or `latest` ratings by time, then movie row, as many as are given."""
    sign = 1 if which == "first" else -1
    order = np.lexsort((sign * table.movie_rows, sign * table.timestamps, table.user_rows))
    counts = np.bincount(table.user_rows)
    starts = np.repeat(np.cumsum(counts) - counts, counts)
    return table.take(order[np.arange(len(table)) - starts < given])


def _measure(trained: TrainedModel, given: RatingsTable, wanted: RatingsTable) -> dict[str, float]:
    # To the model's own histories strangers are nobody, with nothing seen.
    sent = Histories.from_table(given) if len(given) else trained.histories
    candidates = trained.embed_candidates()

    def inputs(user_rows: NDArray[np.int32]) -> QueryInputs:
        asked = sent.query_inputs(user_rows, trained.config.max_history)
        return asked | {
            "user_rows": np.full_like(user_rows, NO_ROW),
            "history_timestamps": np.full_like(asked["history_timestamps"], NO_TIMESTAMP),
        }

    def score(user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        return trained.embed_queries(inputs(user_rows)) @ candidates.T

    popular = Popularity(trained.histories, wanted.num_movies)
    return {
        **evaluate_retrieval(score if len(given) else popular.score, sent, wanted),
        "rmse": evaluate_ratings(
            lambda user_rows, movies: trained.predict_ratings(inputs(user_rows), movies), sent, wanted
        ),
    }
