"""A few users' ratings beside their recommendations, for the report."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.bundle import NO_ROW
from service.bundle.query_encoding import QueryInputs, encode_queries, untimed_history
from training.data.table import RatingsTable
from training.export.exact_answers import exact_top_k
from training.model.trained_model import TrainedModel

_KNOWN_USERS = 3
_SHOWN_HISTORY = 5
_SENT_RATINGS = 3
_LIST_LENGTH = 10


def example_answers(trained: TrainedModel, test: RatingsTable) -> list[dict[str, Any]]:
    """Recommend to the first users with test rows, and to a cold-start user.

    The cold-start user sends the three movies that the next user with test rows rated best.

    Returns:
        JSON documents: `user_id` (null for the cold-start user), `history` (`title`, `genres` and given
        `stars` or null, latest first, of the cold-start user best first) and `recommended` (`title`,
        `genres`, predicted `stars`, null without ratings, and `watched`, whether the movie is in the user's
        test rows).
    """
    histories = trained.histories
    known = histories.positions(test.num_users)[np.unique(test.user_rows)]
    users = known[known != NO_ROW][: _KNOWN_USERS + 1].tolist()
    answers = []
    for user in users[:_KNOWN_USERS]:
        rows = histories.rows_of(user)
        inputs = histories.query_inputs(np.array([user], np.int32), trained.config.max_history)
        shown = np.arange(rows.start, rows.stop)[::-1][:_SHOWN_HISTORY]
        seen = histories.movie_rows[rows]
        answers.append(_answer(trained, test, inputs, user, shown=shown, seen=seen))
        answers[-1]["user_id"] = histories.user_ids[user]
    for user in users[-1:]:
        rows = histories.rows_of(user)
        latest = np.arange(rows.start, rows.stop)[::-1]
        best = np.argsort(-histories.ratings[latest], kind="stable")[:_SENT_RATINGS]
        shown = latest[best]
        sent = untimed_history(histories.movie_rows[shown[::-1]], histories.ratings[shown[::-1]])
        answers.append(_answer(trained, test, encode_queries([sent]), user, shown=shown, seen=sent.rows))
    return answers


def _answer(
    trained: TrainedModel,
    test: RatingsTable,
    inputs: QueryInputs,
    user: int,
    *,
    shown: NDArray[np.int64],
    seen: NDArray[np.int32],
) -> dict[str, Any]:
    histories, movies = trained.histories, test.movies
    [query] = trained.embed_queries(inputs)
    listed = exact_top_k(trained.candidate_embeddings, query, seen, _LIST_LENGTH)
    stars = trained.predict_ratings(inputs, listed[None].astype(np.int32))[0]
    watched = test.movie_rows[test.user_rows == histories.table_rows[user]]

    def describe(row: int, stars: float) -> dict[str, Any]:
        known = None if np.isnan(stars) or trained.vocabulary.rating_scale is None else float(stars)
        return {"title": movies.titles[row], "genres": list(movies.genres[row]), "stars": known}

    given = zip(histories.movie_rows[shown].tolist(), histories.ratings[shown].tolist(), strict=True)
    return {
        "user_id": None,
        "history": [describe(row, rating) for row, rating in given],
        "recommended": [
            describe(row, predicted) | {"watched": row in watched}
            for row, predicted in zip(listed.tolist(), stars.tolist(), strict=True)
        ],
    }
