"""The work of one answer, the same behind every server: only what stands around it is compared."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.loading import load_recommender
from service.recommending.queries import Recommendation, RecommendQuery
from service.settings import Settings

BUNDLE_VARIABLE, WORK_VARIABLE = "SERVING_BUNDLE", "SERVING_WORK"

K = 10

MAX_BATCH_SIZE = 16
"""As many as there are connections, so that nobody waits for a batch to fill."""

MAX_WAIT_MS = 2


class Work:
    """Embedding, index, exclusion of what was seen and ratings by the service's own recommender.

    So no framework is slower for code that somebody wrote less carefully for it.
    """

    def __init__(self) -> None:
        self._recommender = load_recommender(Path(os.environ[BUNDLE_VARIABLE]), Settings())

    def answer(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """By user the ten best movies, to be encoded as JSON by the framework."""
        recommender = self._recommender
        queries = [RecommendQuery(user_id=user_id, k=K) for user_id in user_ids]
        answers = recommender.answer(queries)
        movies = recommender.catalogue
        documents = []
        for query, answer in zip(queries, answers, strict=True):
            if not isinstance(answer, Recommendation):
                raise TypeError(f"expected a list for user {query.user_id}, got {answer}")
            items = [
                {
                    "rank": rank,
                    "movie_id": movies.movie_ids[row],
                    "title": movies.titles[row],
                    "genres": list(movies.genres[row]),
                    "year": movies.years[row],
                    "score": score,
                    "rank_score": rank_score,
                    "predicted_rating": stars,
                    "source": answer.source,
                }
                for rank, (row, score, rank_score, stars) in enumerate(
                    zip(
                        answer.rows.tolist(),
                        answer.scores.tolist(),
                        answer.rank_scores.tolist(),
                        answer.predicted_ratings.tolist(),
                        strict=True,
                    ),
                    1,
                )
            ]
            documents.append(
                {
                    "user_id": query.user_id,
                    "bundle_id": recommender.bundle_id,
                    "source": answer.source,
                    "items": items,
                }
            )
        return documents


def make_work() -> Any:
    """What `WORK_VARIABLE` names: `recommender`, or `plain` for `plain_work.PlainWork`."""
    if os.environ.get(WORK_VARIABLE) == "plain":
        from benchmarks.serving.plain_work import PlainWork  # noqa: PLC0415  it imports from here

        return PlainWork()
    return Work()
