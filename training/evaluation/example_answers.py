"""A few people's ratings beside what they are recommended, for people to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.data.table import RatingsTable
from training.export.index_recall import exact_top_k
from training.model.fitting import TrainedModel
from training.model.histories import QueryInputs

_KNOWN_USERS = 3
_SHOWN_HISTORY = 5
_STRANGERS_RATINGS = 3
_LIST_LENGTH = 10


def example_answers(trained: TrainedModel, test: RatingsTable) -> list[dict[str, Any]]:
    """The first users with test rows, and a stranger who sends the three movies that the next one likes best.

    Returns:
        JSON documents: `user_id` (null for the stranger), `history` (`title`, `genres` and given `stars`,
        latest first, of the stranger best first) and `recommended` (`title`, `genres`, predicted `stars` and
        whether it was `watched`, that is, in the person's test rows).
    """
    histories = trained.histories
    known = histories.positions(test.num_users)[np.unique(test.user_rows)]
    users = known[known != NO_ROW][: _KNOWN_USERS + 1].tolist()
    most = trained.config.max_history
    candidates = trained.embed_candidates()
    answers = []
    for user in users[:_KNOWN_USERS]:
        rows = histories.rows_of(user)
        inputs = histories.query_inputs(np.array([user], np.int32), most)
        shown = np.arange(rows.start, rows.stop)[::-1][:_SHOWN_HISTORY]
        seen = histories.movie_rows[rows]
        answers.append(_answer(trained, test, candidates, inputs, user, shown=shown, seen=seen))
        answers[-1]["user_id"] = histories.user_ids[user]
    for user in users[-1:]:
        rows = histories.rows_of(user)
        latest = np.arange(rows.start, rows.stop)[::-1]
        best = np.argsort(-histories.ratings[latest], kind="stable")[:_STRANGERS_RATINGS]
        shown = latest[best]
        inputs = {
            "user_rows": np.array([NO_ROW], np.int32),
            "timestamps": np.array([NO_TIMESTAMP]),
            "history_rows": histories.movie_rows[shown][None, ::-1],
            "history_ratings": histories.ratings[shown][None, ::-1],
            "history_timestamps": np.full((1, len(shown)), NO_TIMESTAMP),
        }
        seen = histories.movie_rows[shown]
        answers.append(_answer(trained, test, candidates, inputs, user, shown=shown, seen=seen))
    return answers


def _answer(
    trained: TrainedModel,
    test: RatingsTable,
    candidates: NDArray[np.float32],
    inputs: QueryInputs,
    user: int,
    *,
    shown: NDArray[np.int64],
    seen: NDArray[np.int32],
) -> dict[str, Any]:
    histories, movies = trained.histories, test.movies
    listed = exact_top_k(candidates, trained.embed_queries(inputs)[0], seen, _LIST_LENGTH)
    stars = trained.predict_ratings(inputs, listed[None].astype(np.int32))[0]
    watched = test.movie_rows[test.user_rows == histories.table_rows[user]]

    def describe(row: int, given: float) -> dict[str, Any]:
        return {"title": movies.titles[row], "genres": list(movies.genres[row]), "stars": float(given)}

    given = zip(histories.movie_rows[shown].tolist(), histories.ratings[shown].tolist(), strict=True)
    return {
        "user_id": None,
        "history": [describe(row, stars) for row, stars in given],
        "recommended": [
            describe(row, predicted) | {"watched": row in watched}
            for row, predicted in zip(listed.tolist(), stars.tolist(), strict=True)
        ],
    }
