"""Golden requests: the answers of the model in memory, computed by brute force."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.bundle.golden_requests import (
    GoldenItem,
    GoldenRating,
    GoldenRecommendation,
    GoldenRequests,
    HistoryEntry,
)
from service.bundle.query_encoding import NO_HISTORY, QueryInputs, encode_queries, untimed_history
from training.data.table import RatingsTable
from training.export.exact_answers import exact_top_k
from training.model.trained_model import TrainedModel

_KNOWN_USERS = 8
_COLD_START_USERS = 6
_RATINGS = 10
_ITEMS = 10


def golden_requests(trained: TrainedModel, table: RatingsTable, seed: int) -> GoldenRequests:
    """Make requests of known users with and without a time, of cold-start users, and for ratings.

    None has a time where the data has none, and without ratings none is for a rating.

    Args:
        trained: The model that the bundle ships.
        table: The rows it was trained on, all of them.
        seed: Of the random choice of users and movies.
    """
    answers = ModelAnswers(trained, table)
    random = np.random.default_rng(seed)
    known = np.resize(random.permutation(len(trained.histories)), _KNOWN_USERS).tolist()
    moment = int(np.median(table.timestamps)) if table.has_times else None
    recommend = [answers.known_user(user, moment if at % 2 else None) for at, user in enumerate(known)]
    sent = [answers.draw_history(random, length) for length in range(1, _COLD_START_USERS + 1)]
    recommend += [answers.cold_start_user(history) for history in sent]
    recommend.append(answers.popular())
    ratings = [
        answers.rating(
            known[at % len(known)], int(random.integers(table.num_movies)), moment if at % 2 else None
        )
        for at in range(_RATINGS if answers.has_ratings else 0)
    ]
    return {"recommend": recommend, "predict_rating": ratings}


class ModelAnswers:
    """Answers of the model in memory, by brute force.

    Args:
        trained: The model.
        table: The rows it was trained on, all of them.
        k: Most items of a list.
    """

    def __init__(self, trained: TrainedModel, table: RatingsTable, k: int = _ITEMS) -> None:
        self._trained = trained
        self._k = k
        self._movie_ids = table.movies.movie_ids
        self._counts = table.movie_counts
        scale = table.rating_scale
        self.has_ratings = scale is not None
        self._stars = [None] if scale is None else np.unique([scale[0], sum(scale) / 2, scale[1]]).tolist()

    def draw_history(self, random: np.random.Generator, length: int) -> list[HistoryEntry]:
        """Draw rated movies as a history, the last of several without a rating."""
        seen = np.flatnonzero(self._counts)
        rows = random.choice(seen, min(length, len(seen)), replace=False).tolist()
        stars = [self._stars[int(random.integers(len(self._stars)))] for _ in rows]
        entries: list[HistoryEntry] = [
            {"movie_id": self._movie_ids[row], "rating": rating}
            for row, rating in zip(rows, stars, strict=True)
        ]
        if len(entries) > 1:
            entries[-1]["rating"] = None
        return entries

    def known_user(self, user_row: int, timestamp: int | None) -> GoldenRecommendation:
        """Recommend to a user of the training rows."""
        histories = self._trained.histories
        inputs = self._known_inputs(user_row, timestamp)
        seen = histories.movie_rows[histories.rows_of(user_row)]
        user_id = histories.user_ids[user_row]
        return self._recommendation(inputs, seen, user_id=user_id, timestamp=timestamp, source="personalized")

    def cold_start_user(self, history: list[HistoryEntry]) -> GoldenRecommendation:
        """Recommend to a user of whom nothing else is known; its movies must be in the table."""
        rows = np.array([self._movie_ids.index(entry["movie_id"]) for entry in history], np.int32)
        stars = [np.nan if entry["rating"] is None else entry["rating"] for entry in history]
        read = slice(-self._trained.config.max_history, None)
        inputs = encode_queries([untimed_history(rows[read], stars[read])])
        return self._recommendation(inputs, rows, history=history, source="history")

    def popular(self) -> GoldenRecommendation:
        """Return what the model predicts of a user of whom nothing is known."""
        # The data may contain any user id; this one must not be among them.
        user_id = "a cold-start user"
        while user_id in self._trained.histories.user_ids:
            user_id += "!"
        nothing = np.empty(0, np.int32)
        return self._recommendation(encode_queries([NO_HISTORY]), nothing, user_id=user_id, source="popular")

    def rating(self, user_row: int, movie_row: int, timestamp: int | None) -> GoldenRating:
        """Predict a rating of a user of the training rows."""
        inputs = self._known_inputs(user_row, timestamp)
        predicted = self._trained.predict_ratings(inputs, np.array([[movie_row]], np.int32))
        return {
            "user_id": self._trained.histories.user_ids[user_row],
            "history": [],
            "timestamp": timestamp,
            "movie_id": self._movie_ids[movie_row],
            "predicted_rating": float(predicted[0, 0]),
        }

    def _known_inputs(self, user_row: int, timestamp: int | None) -> QueryInputs:
        return self._trained.histories.query_inputs(
            np.array([user_row], np.int32),
            self._trained.config.max_history,
            None if timestamp is None else np.array([timestamp]),
        )

    def _recommendation(
        self,
        inputs: QueryInputs,
        seen: NDArray[np.int32],
        *,
        source: str,
        user_id: str | None = None,
        history: Sequence[HistoryEntry] = (),
        timestamp: int | None = None,
    ) -> GoldenRecommendation:
        query = self._trained.embed_queries(inputs)[0]
        rows = exact_top_k(self._trained.candidate_embeddings, query, seen, self._k)
        return {
            "user_id": user_id,
            "history": list(history),
            "timestamp": timestamp,
            "k": self._k,
            "exclude_seen": True,
            "source": source,
            "items": self._items(inputs, rows, self._trained.candidate_embeddings[rows] @ query),
        }

    def _items(
        self, inputs: QueryInputs, rows: NDArray[np.int64], scores: NDArray[np.floating]
    ) -> list[GoldenItem]:
        predicted = self._trained.predict_ratings(inputs, rows[None, :].astype(np.int32))[0]
        return [
            {
                "movie_id": self._movie_ids[row],
                "score": score,
                "predicted_rating": stars if self.has_ratings else None,
            }
            for row, score, stars in zip(rows.tolist(), scores.tolist(), predicted.tolist(), strict=True)
        ]
