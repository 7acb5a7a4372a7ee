"""Lists of cold-start users who dislike something, by the tiny model's arithmetic, of 1 to 5 stars."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_model import MOVIE_IDS, NUM_CANDIDATES, USER_IDS, TinyModel

from service.bundle.golden_requests import HistoryEntry
from service.recommending import dislike_search, recommended_lists
from service.recommending.candidate_search import CandidateSearch
from service.recommending.dislikes import are_disliked
from service.recommending.queries import MovieFilter, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender

MIXED: list[HistoryEntry] = [
    {"movie_id": "m3", "rating": 1.0},
    {"movie_id": "m90", "rating": 5.0},
    {"movie_id": "m17", "rating": 2.0},
    {"movie_id": "m20", "rating": None},
    {"movie_id": "m55", "rating": 3.0},
]
LIKED = [entry for entry in MIXED if entry["movie_id"] not in {"m3", "m17"}]
HISTORIES = [MIXED, MIXED[:1], MIXED[:2]]


def expected_keys(tiny: TinyModel, history: list[HistoryEntry]) -> dict[int, float]:
    """By row what orders the list, best first."""
    whole = tiny.embed(None, tiny.seen(None, history), None)
    liked = [entry for entry in history if entry["rating"] is None or entry["rating"] >= 3]
    without = tiny.embed(None, tiny.seen(None, liked), None)
    seen = {row for row, _, _ in tiny.seen(None, history)}
    keys = {
        row: float(min(tiny.candidates[row] @ whole, tiny.candidates[row] @ without))
        - (5 - tiny.stars(row, None, history))
        for row in range(NUM_CANDIDATES)
        if row not in seen
    }
    return dict(sorted(keys.items(), key=lambda pair: (-round(pair[1], 4), pair[0])))


def recommended(recommender: Recommender, **fields: Any) -> Recommendation:
    return recommender.recommend(RecommendQuery(**fields))


@pytest.mark.parametrize("history", HISTORIES)
def test_what_is_disliked_lowers_scores_and_few_stars_do_too(
    history: list[HistoryEntry], recommender: Recommender, tiny: TinyModel
) -> None:
    answer = recommended(recommender, history=history, k=30)
    keys = expected_keys(tiny, history)
    assert answer.source == "history"
    assert answer.rank_scores.tolist() == pytest.approx([*keys.values()][:30], abs=1e-5)
    assert [keys[row] for row in answer.rows.tolist()] == pytest.approx([*keys.values()][:30], abs=1e-5)
    scores = dict(tiny.recommend(None, history))
    assert answer.scores.tolist() == pytest.approx([scores[row] for row in answer.rows.tolist()])
    assert all(answer.rank_scores <= answer.scores)


def test_pages_fit_together(recommender: Recommender) -> None:
    whole = recommended(recommender, history=MIXED, k=30)
    pages = [recommended(recommender, history=MIXED, k=7, offset=offset) for offset in range(0, 28, 7)]
    assert np.concatenate([page.rows for page in pages]).tolist() == whole.rows.tolist()[:28]
    assert np.concatenate([page.rank_scores for page in pages]).tolist() == whole.rank_scores.tolist()[:28]


@pytest.mark.parametrize("num_rated", [1, 8, 30, 1000])
def test_the_order_does_not_depend_on_how_many_movies_are_rated_at_first(
    num_rated: int, recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanning = replace(recommender, index_kind="exact")
    queries = [
        RecommendQuery(history=history, k=k, offset=offset, filter=conditions)
        for history in HISTORIES
        for k, offset in ((1, 0), (3, 2), (10, 0), (64, 0), (65, 0))
        for conditions in (None, MovieFilter(genres_none=["War"]))
    ]
    monkeypatch.setattr(dislike_search, "DEEPEST_SETTLED", 0)
    monkeypatch.setattr(recommended_lists, "DEEPEST_SETTLED", 0)
    expected = scanning.answer(queries)
    monkeypatch.undo()
    monkeypatch.setattr(dislike_search, "_LEAST", num_rated)
    monkeypatch.setattr(dislike_search, "_PER_PLACE", 1)
    for query, whole, together in zip(queries, expected, scanning.answer(queries), strict=True):
        for found in (scanning.recommend(query), together):
            assert isinstance(found, Recommendation)
            assert isinstance(whole, Recommendation)
            assert found.rows.tolist() == whole.rows.tolist()
            assert found.scores.tolist() == whole.scores.tolist()
            assert found.rank_scores.tolist() == whole.rank_scores.tolist()
            assert found.predicted_ratings.tolist() == whole.predicted_ratings.tolist()


def test_a_list_that_is_settled_needs_no_pool(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanning = replace(recommender, index_kind="exact")
    monkeypatch.setattr(CandidateSearch, "best_of_each", lambda *_, **__: pytest.fail("a pool was searched"))
    monkeypatch.setattr(dislike_search, "_LEAST", NUM_CANDIDATES)
    assert len(scanning.recommend(RecommendQuery(history=MIXED, k=10)).rows) == 10


def test_the_answer_is_the_same_in_a_batch(recommender: Recommender) -> None:
    queries = [
        RecommendQuery(history=MIXED),
        RecommendQuery(user_id="42"),
        RecommendQuery(history=MIXED[:1]),
        RecommendQuery(history=LIKED),
        RecommendQuery(history=MIXED, diversity=0.3),
    ]
    for query, answer in zip(queries, recommender.answer(queries), strict=True):
        alone = recommender.recommend(query)
        assert isinstance(answer, Recommendation)
        assert answer.rows.tolist() == alone.rows.tolist()
        assert answer.rank_scores.tolist() == alone.rank_scores.tolist()
        assert answer.predicted_ratings.tolist() == alone.predicted_ratings.tolist()


@pytest.mark.parametrize(
    "fields",
    [
        {"user_id": USER_IDS[0], "history": MIXED},
        {"user_id": "42"},
        {"history": MIXED, "rank_by": "retrieval"},
        {"history": LIKED},
        {},
    ],
)
def test_users_of_the_training_data_those_who_dislike_nothing_and_who_ask_for_it_get_the_order_of_scores(
    fields: dict[str, Any], recommender: Recommender
) -> None:
    answer = recommended(recommender, **fields)
    assert answer.rank_scores.tolist() == answer.scores.tolist() == sorted(answer.scores, reverse=True)


def test_filters_and_exclusions_hold(recommender: Recommender) -> None:
    narrow = MovieFilter(genres_any=["War"])
    answer = recommended(recommender, history=MIXED, filter=narrow, exclude=["m5"], k=100)
    assert len(answer.rows) > 20
    assert all("War" in recommender.catalogue.genres[row] for row in answer.rows.tolist())
    assert not {MOVIE_IDS[row] for row in answer.rows.tolist()} & {"m3", "m90", "m17", "m20", "m55", "m5"}


def test_reasons_say_what_the_key_loses_and_name_nothing_that_is_disliked(
    recommender: Recommender, tiny: TinyModel
) -> None:
    answer = recommended(recommender, history=MIXED, explain=True, k=20)
    keys = expected_keys(tiny, MIXED)
    assert answer.because is not None
    assert any(answer.because)
    for row, reasons in zip(answer.rows.tolist(), answer.because, strict=True):
        assert {MOVIE_IDS[reason.row] for reason in reasons} <= {"m90", "m20", "m55"}
        for reason in reasons:
            movie_id = MOVIE_IDS[reason.row]
            without = [entry for entry in MIXED if entry["movie_id"] != movie_id]
            assert reason.score == pytest.approx(keys[row] - expected_keys(tiny, without)[row], abs=1e-5)
            assert reason.stars == {"m90": 5.0, "m20": None, "m55": 3.0}[movie_id]


def test_disliked_is_what_has_fewer_stars_than_the_middle_of_the_scale() -> None:
    ratings = np.array([0.5, 2.5, 2.75, 3.0, math.nan], np.float32)
    assert are_disliked(ratings, (0.5, 5.0)).tolist() == [True, True, False, False, False]
    assert are_disliked(ratings, None).tolist() == [False] * 5
