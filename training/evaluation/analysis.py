"""Break a model's quality down by history length, popularity, list length and predicted stars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.evaluation.example_answers import example_answers
from training.evaluation.held_out_users import held_out_users, padded_movies
from training.evaluation.metrics import (
    Calibration,
    HitRate,
    Ranks,
    RootMeanSquaredError,
    ndcg_parts,
    ranks_of_user,
)
from training.evaluation.model_answers import ratings_of, scores_of
from training.evaluation.recommended_lists import LIST_LENGTH, first_movies
from training.model.trained_model import TrainedModel

_DEPTHS = (1, 5, 10, 20, 50, 100, 200)
_HISTORY_LENGTHS = {"0": 0, "1-5": 5, "6-20": 20, "21-50": 50, "more": np.inf}


def analyse(trained: TrainedModel, test: RatingsTable) -> dict[str, Any]:
    """Analyse one query without a time per user with held-out rows, seen movies excluded.

    Only the scores of one group of users are in memory at a time.

    Returns:
        A JSON document: `popularity_deciles` (share of the movies in users' first ten in each tenth of the
        catalogue by number of training ratings, the most popular first), `by_history_length` and
        `hit_rate_by_k` (both by name), `calibration` (see `Calibration`) and `examples` (see
        `example_answers`).
    """
    histories = trained.histories
    recommended = np.zeros(test.num_movies, np.int64)
    hit_rates = [HitRate(k) for k in _DEPTHS]
    lengths = {name: _Quality() for name in _HISTORY_LENGTHS}
    calibration = Calibration(trained.vocabulary.rating_scale or (0.0, 1.0))
    for user_rows, rows_of_users in held_out_users(histories, test):
        scores = scores_of(trained)(user_rows)
        predicted = ratings_of(trained)(user_rows, padded_movies(test, rows_of_users))
        seen = [histories.history_of(user).rows for user in user_rows.tolist()]
        lists = first_movies(scores, seen)
        for at, rows in enumerate(rows_of_users):
            movies, stars = test.movie_rows[rows], test.stars[rows]
            places, _ = ranks_of_user(scores[at], movies, seen[at])
            for hit_rate in hit_rates:
                hit_rate.update(places)
            ratings = predicted[at, : len(rows)]
            lengths[_length_name(len(seen[at]))].update(places, ratings, stars)
            calibration.update(ratings, stars)
            recommended[lists[at]] += 1
    return {
        "popularity_deciles": popularity_deciles(recommended, histories.movie_counts),
        "by_history_length": {name: quality.result() for name, quality in lengths.items()},
        "hit_rate_by_k": {str(one.k): one.result() for one in hit_rates},
        "calibration": calibration.result(),
        "examples": example_answers(trained, test),
    }


def popularity_deciles(recommended: NDArray[np.int64], popularity: NDArray[np.int64]) -> list[float]:
    """Share `recommended`, counts by movie `[C]`, among tenths of the catalogue by `popularity`, `[C]`.

    Equally popular movies are in catalogue order; the first tenths have one movie more where ten does not
    divide C. Zeros where nothing was recommended.
    """
    tenths = np.array_split(recommended[np.argsort(-popularity, kind="stable")], 10)
    return [float(tenth.sum() / max(1, recommended.sum())) for tenth in tenths]


class _Quality:
    def __init__(self) -> None:
        self._hit_rate, self._error = HitRate(100), RootMeanSquaredError()
        self._ndcg, self._users = 0.0, 0

    def update(self, places: Ranks, predicted: NDArray[np.float32], true: NDArray[np.float32]) -> None:
        rated = ~np.isnan(true)
        self._hit_rate.update(places)
        self._ndcg += float(ndcg_parts(places, LIST_LENGTH, np.full(len(places), len(places))).sum())
        self._error.update(predicted[rated], true[rated])
        self._users += 1

    def result(self) -> dict[str, float | None] | None:
        if not self._users:
            return None
        return {
            "users": self._users,
            "hit_rate_at_100": self._hit_rate.result(),
            "ndcg_at_10": self._ndcg / self._users,
            "rmse": self._error.result() if self._error.rows else None,
        }


def _length_name(length: int) -> str:
    return next(name for name, most in _HISTORY_LENGTHS.items() if length <= most)
