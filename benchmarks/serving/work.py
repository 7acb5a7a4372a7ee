"""Recommendations by this service's own recommender, for every framework to serve."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.loading import load_recommender
from service.recommending.queries import Recommendation, RecommendQuery
from service.settings import Settings

BUNDLE_VARIABLE, WORK_VARIABLE, WORKERS_VARIABLE = "SERVING_BUNDLE", "SERVING_WORK", "SERVING_WORKERS"

WORKERS = int(os.environ.get(WORKERS_VARIABLE, "1"))
"""Worker processes of the server that this process is, or belongs to."""

K = 10

MAX_BATCH_SIZE = max(16 // WORKERS, 1)
"""A worker's share of 16 connections, so that no request waits for a batch to fill."""

MAX_WAIT_MS = 2


class Work:
    """Recommendations by the service's own recommender, so that only the frameworks differ."""

    def __init__(self) -> None:
        self._recommender = load_recommender(Path(os.environ[BUNDLE_VARIABLE]), Settings())
        movies = self._recommender.catalogue
        self._display_titles = [movies.display_title(row) for row in range(len(movies))]

    def answer(self, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Recommend ten movies to each user, as values for the framework to encode as JSON."""
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
                    "display_title": self._display_titles[row],
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
    """Make the work that `WORK_VARIABLE` names: `recommender` or `plain`."""
    if os.environ.get(WORK_VARIABLE) == "plain":
        from benchmarks.serving.plain_work import PlainWork  # noqa: PLC0415  circular import

        return PlainWork()
    return Work()
