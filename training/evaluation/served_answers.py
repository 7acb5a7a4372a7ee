"""What a bundle answers, as it is served, about users and movies of other ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.array_files import open_array
from service.bundle.candidate_index import CANDIDATES_FILE
from service.bundle.histories import History
from service.bundle.query_encoding import NO_HISTORY
from service.bundle.query_tower import QueryTower, TowerInput
from service.bundle.rating_head import RatingHead
from training.data.table import RatingsTable
from training.evaluation.query_evaluation import evaluate_ratings, evaluate_retrieval
from training.evaluation.user_sums import UserSums
from training.export.former_bundle import FormerBundle
from training.model.histories import Histories
from training.model.warm_start import places


class ServedAnswers:
    """Answers of a bundle to users with the histories of a table, as the service lays posted feedback over.

    Movies that the bundle does not know rank last, and are rated as the mean.

    Args:
        bundle: What answers.
        histories: Of the users who are asked about.
        movie_ids: Of the candidates that these histories are about.
    """

    def __init__(self, bundle: FormerBundle, histories: Histories, movie_ids: tuple[str, ...]) -> None:
        directory, manifest = bundle.directory, bundle.manifest
        self._tower = QueryTower.open(directory)
        self._candidates = open_array(directory / CANDIDATES_FILE, np.float32, dimensions=2)
        has_ratings = manifest.rating_scale is not None
        self._head = RatingHead.open(directory, manifest) if has_ratings else None
        self._max_history = manifest.max_history
        self._histories = histories
        self._users = places(bundle.user_ids, histories.user_ids).astype(np.int32)
        self._movies = places(bundle.movie_ids, movie_ids).astype(np.int32)

    def score(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Score all candidates of the table, float32 `[B, C]`, see `Score`."""
        states = self._states(user_rows)
        scores = states[:, : self._candidates.shape[1]] @ self._candidates.T
        least = np.finfo(np.float32).min
        return np.where(self._movies >= 0, scores[:, np.maximum(self._movies, 0)], least)

    def predict(self, user_rows: NDArray[np.int32], movies: NDArray[np.int32]) -> NDArray[np.float32]:
        """Predict stars, float32 `[B, K]`, see `Predict`; NaN without ratings."""
        if self._head is None:
            return np.full(movies.shape, np.nan, np.float32)
        rows = self._movies[movies]
        predicted = np.stack(self._head.predict(self._states(user_rows), list(np.maximum(rows, 0))))
        return np.where(rows >= 0, predicted, predicted.mean()).astype(np.float32)

    def _states(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        return self._tower.read([self._query(row) for row in user_rows.tolist()])

    def _query(self, user_row: int) -> TowerInput:
        if user_row == NO_ROW:
            return TowerInput(NO_ROW, NO_TIMESTAMP, NO_HISTORY)
        history = self._histories.history_of(user_row)
        known = self._movies[history.rows]
        here = History(known, history.ratings, history.timestamps).take(known >= 0)
        return TowerInput(int(self._users[user_row]), NO_TIMESTAMP, here.last(self._max_history))


def evaluate_bundle(bundle: FormerBundle, train: RatingsTable, test: RatingsTable) -> UserSums:
    """Measure a bundle on test rows, its users' histories being those of the training rows."""
    histories = Histories.from_table(train)
    answers = ServedAnswers(bundle, histories, train.movies.movie_ids)
    found = evaluate_retrieval(answers.score, histories, test)
    if bundle.manifest.rating_scale is None or not test.is_rated.any():
        return found
    return found | evaluate_ratings(answers.predict, histories, test)
