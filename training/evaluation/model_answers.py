"""What the service would answer with a trained model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from training.evaluation.baselines.popularity import Popularity
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

Score = Callable[[NDArray[np.int32]], NDArray[np.float32]]
"""Users, int32 `[B]` (`NO_ROW` for cold-start users), to scores of all candidates, float32 `[B, C]`."""

Predict = Callable[[NDArray[np.int32], NDArray[np.int32]], NDArray[np.float32]]
"""Users, as above, and movies, int32 `[B, K]`, to stars, float32 `[B, K]`."""


def scores_of(trained: TrainedModel, timestamps: NDArray[np.int64] | None = None) -> Score:
    """Score candidates with the model, for users without a history too.

    Args:
        trained: The model.
        timestamps: int64 `[B]`, of the users to be scored; None: queries without a time.
    """

    def embed(user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        inputs = trained.histories.query_inputs(user_rows, trained.config.max_history, timestamps)
        return trained.embed_queries(inputs) @ trained.candidate_embeddings.T

    return embed


def ratings_of(trained: TrainedModel) -> Predict:
    """Predict stars with the model, one query per user without a time."""

    def predict(user_rows: NDArray[np.int32], movies: NDArray[np.int32]) -> NDArray[np.float32]:
        inputs = trained.histories.query_inputs(user_rows, trained.config.max_history)
        return trained.predict_ratings(inputs, movies)

    return predict


def popular_for_cold_start(score: Score, histories: Histories) -> Score:
    """Score for `NO_ROW`, a user without a history, by popularity, and as before for the others."""
    popularity = Popularity(histories)

    def with_popular(user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        scores, without_history = score(user_rows), user_rows == NO_ROW
        if not without_history.any():
            return scores
        return np.where(without_history[:, None], popularity.score(user_rows), scores)

    return with_popular
