"""Measure answers to one query without a time for each user with held-out rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.evaluation.held_out_users import held_out_users, padded_movies
from training.evaluation.metrics import Ranks, ranks_of_user
from training.evaluation.model_answers import Predict, Score
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.user_sums import UserSums, joined, retrieval_sums, sum_by_user
from training.model.histories import Histories


def evaluate_retrieval(
    score: Score, histories: Histories, test: RatingsTable, lists: RecommendedLists | None = None
) -> UserSums:
    """Rank every test movie for its user among all candidates and among those not in the history.

    What is recommended to these users is added to `lists`, if any.
    """
    groups = []
    for user_rows, rows_of_users in held_out_users(histories, test):
        scores = score(user_rows)
        seen = [histories.history_of(user).rows for user in user_rows.tolist()]
        if lists is not None:
            lists.update(scores, seen)
        both = [
            ranks_of_user(of_user, test.movie_rows[rows], excluded)
            for of_user, excluded, rows in zip(scores, seen, rows_of_users, strict=True)
        ]
        unseen, among_all = (
            Ranks(*(np.concatenate([getattr(of, name) for of in side]) for name in ("better", "tied")))
            for side in zip(*both, strict=True)
        )
        groups.append(retrieval_sums(unseen, among_all, np.array([len(rows) for rows in rows_of_users])))
    return joined(groups)


def evaluate_ratings(predict: Predict, histories: Histories, test: RatingsTable) -> UserSums:
    """Compare predicted with true stars over the rated test rows, one query per user."""
    return squared_errors(predict_rows(predict, histories, test), test)


def predict_rows(predict: Predict, histories: Histories, test: RatingsTable) -> NDArray[np.float64]:
    """Predict stars of each row of `test`, float64 `[n]`, one query per user."""
    predicted = np.zeros(len(test))
    for user_rows, rows_of_users in held_out_users(histories, test):
        of_users = predict(user_rows, padded_movies(test, rows_of_users))
        for of_user, rows in zip(of_users, rows_of_users, strict=True):
            predicted[rows] = of_user[: len(rows)]
    return predicted


def squared_errors(predicted: NDArray[np.float64], test: RatingsTable) -> UserSums:
    """Sum by user what rated test rows add to the RMSE; `predicted` are stars, `[num_rows]`."""
    present, users = np.unique(test.user_rows, return_inverse=True)
    squares = np.where(test.is_rated, (predicted - test.stars) ** 2, 0.0)
    rated = test.is_rated.astype(np.float64)
    return UserSums(
        {"rmse": sum_by_user(users, squares, len(present))}, {"rmse": sum_by_user(users, rated, len(present))}
    )
