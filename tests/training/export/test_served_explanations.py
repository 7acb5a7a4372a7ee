"""What the service says of a trained model, with the rounding that real weights bring."""

from pathlib import Path

import numpy as np
import pytest

from service.bundle.golden_requests import HistoryEntry
from service.loading import load_recommender
from service.recommending.queries import Recommendation, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings


@pytest.fixture(scope="module")
def served(bundle: Path) -> Recommender:
    return load_recommender(bundle, Settings())


def people(served: Recommender) -> list[list[HistoryEntry]]:
    """Histories as sent, from 2 movies to more than the model reads."""
    random = np.random.default_rng(3)
    movie_ids = served.catalogue.movie_ids
    longest = min(served.manifest.max_history + 20, len(movie_ids) - 10)
    return [
        [
            {"movie_id": movie_ids[row], "rating": float(random.integers(1, 6))}
            for row in random.choice(len(movie_ids), length, replace=False).tolist()
        ]
        for length in [*random.integers(2, longest, 40).tolist(), longest, longest - 1]
    ]


def test_without_the_first_named_movie_the_item_scores_lower(served: Recommender) -> None:
    compared = 0
    for history in people(served):
        answer = served.recommend(RecommendQuery(history=history, rank_by="retrieval", explain=True))
        assert answer.because is not None
        for row, score, reasons in zip(
            answer.rows.tolist(), answer.scores.tolist(), answer.because, strict=True
        ):
            if not reasons:
                continue
            first = served.catalogue.movie_ids[reasons[0].row]
            less = [entry for entry in history if entry["movie_id"] != first]
            again = served.recommend(
                RecommendQuery(history=less, rank_by="retrieval", k=500, exclude_seen=False)
            )
            now = dict(zip(again.rows.tolist(), again.scores.tolist(), strict=True))[row]
            assert now < score
            compared += 1
    assert compared > 100


def test_an_answer_is_the_same_to_the_last_bit_whoever_asks_at_the_same_time(served: Recommender) -> None:
    queries = [RecommendQuery(history=history, rank_by="blend", k=30) for history in people(served)]
    alone = [served.recommend(query) for query in queries]
    for size in (2, 7, len(queries)):
        for start in range(0, len(queries), size):
            part = slice(start, start + size)
            together = served.answer(queries[part])
            for one, other in zip(alone[part], together, strict=True):
                assert isinstance(other, Recommendation)
                assert one.rows.tolist() == other.rows.tolist()
                assert one.scores.tolist() == other.scores.tolist()
                assert one.rank_scores.tolist() == other.rank_scores.tolist()
                assert one.predicted_ratings.tolist() == other.predicted_ratings.tolist()
