"""Properties of every list of recommendations, checked by hypothesis with many queries."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import FIRST_TIMESTAMP, MOVIE_IDS, NUM_CANDIDATES, SCALE, USER_IDS, TinyModel

from service.bundle.golden_requests import HistoryEntry
from service.errors import InvalidField, UnknownMovie
from service.recommending.queries import MovieFilter, RatingQuery, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender

entries = st.builds(
    lambda movie_id, rating: HistoryEntry(movie_id=movie_id, rating=rating),
    st.sampled_from(MOVIE_IDS),
    st.sampled_from([None, 1.0, 3.5, 5.0]),
)
filters = st.builds(
    MovieFilter,
    genres_any=st.sampled_from([(), ("drama",), ("WAR", "Nothing"), ("Nothing",)]),
    genres_none=st.sampled_from([(), ("War",)]),
    year_min=st.sampled_from([None, 1950, 2100]),
    year_max=st.sampled_from([None, 2000]),
    movie_ids=st.sampled_from([None, MOVIE_IDS[:40], ["m3", "unknown"]]),
)
recommendations = st.builds(
    RecommendQuery,
    user_id=st.sampled_from([*USER_IDS, "nobody"]),
    history=st.lists(entries, max_size=12),
    timestamp=st.sampled_from([None, FIRST_TIMESTAMP + 256]),
    k=st.integers(1, NUM_CANDIDATES),
    offset=st.sampled_from([0, 1, 7, 200]),
    exclude_seen=st.booleans(),
    exclude=st.lists(st.sampled_from([*MOVIE_IDS, "unknown"]), max_size=20),
    filter=st.none() | filters,
    rank_by=st.sampled_from(["retrieval", "rating", "blend"]),
    diversity=st.sampled_from([0.0, 0.0, 0.3, 1.0]),
)


def passes(row: int, conditions: MovieFilter) -> bool:
    """Apply the filter by hand: `tiny_bundle` derives genres and year from the row."""
    genres = {"drama", "war"} if row % 3 == 2 else {"drama"} if row % 3 == 1 else set()
    year = None if row % 7 == 0 else 1900 + row
    wanted = {genre.casefold() for genre in conditions.genres_any}
    return (
        (not wanted or bool(wanted & genres))
        and not {genre.casefold() for genre in conditions.genres_none} & genres
        and (conditions.year_min is None or (year is not None and year >= conditions.year_min))
        and (conditions.year_max is None or (year is not None and year <= conditions.year_max))
        and (conditions.movie_ids is None or MOVIE_IDS[row] in conditions.movie_ids)
    )


def left_for(query: RecommendQuery, tiny: TinyModel) -> set[int]:
    seen = {row for row, _, _ in tiny.seen(query.user_id, list(query.history))}
    return {
        row
        for row in range(NUM_CANDIDATES)
        if MOVIE_IDS[row] not in query.exclude
        and not (query.exclude_seen and row in seen)
        and (query.filter is None or passes(row, query.filter))
    }


def content(answer: object) -> object:
    """Convert an answer to values that `==` compares."""
    assert isinstance(answer, Recommendation)
    arrays = (answer.rows, answer.scores, answer.rank_scores, answer.predicted_ratings)
    return answer.source, answer.offset, *(array.tolist() for array in arrays)


@given(recommendations)
def test_k_of_the_allowed_movies_come_back_and_scores_never_rise(
    recommender: Recommender, tiny: TinyModel, query: RecommendQuery
) -> None:
    left = left_for(query, tiny)
    answer = recommender.recommend(query)
    rows = answer.rows.tolist()
    assert len(rows) == len(set(rows)) == max(0, min(query.k, len(left) - query.offset))
    assert set(rows) <= left
    assert np.all(np.diff(answer.rank_scores) <= 0)
    low, high = SCALE
    assert all(low <= stars <= high for stars in answer.predicted_ratings.tolist())
    if query.rank_by == "retrieval" and query.diversity == 0:
        assert answer.rank_scores.tolist() == answer.scores.tolist()
    if query.rank_by == "rating" and query.diversity == 0:
        assert answer.rank_scores.tolist() == answer.predicted_ratings.tolist()


@given(recommendations, st.integers(5, 60))
def test_pages_together_are_the_whole_list(
    recommender: Recommender, query: RecommendQuery, page: int
) -> None:
    whole = recommender.recommend(replace(query, offset=0, k=NUM_CANDIDATES))
    pages = [replace(query, offset=start, k=page) for start in range(0, NUM_CANDIDATES, page)]
    answers = recommender.answer(pages)
    found = [answer for answer in answers if isinstance(answer, Recommendation)]
    assert [row for answer in found for row in answer.rows.tolist()] == whole.rows.tolist()
    assert [key for answer in found for key in answer.rank_scores.tolist()] == whole.rank_scores.tolist()


@given(st.lists(recommendations, min_size=1, max_size=6))
def test_a_batch_is_answered_as_one_by_one(recommender: Recommender, queries: list[RecommendQuery]) -> None:
    together = recommender.answer(queries)
    assert list(map(content, together)) == [content(recommender.recommend(query)) for query in queries]


def test_users_with_equal_queries_and_different_histories_get_different_answers(
    recommender: Recommender, tiny: TinyModel
) -> None:
    liked: list[HistoryEntry] = [{"movie_id": "m3", "rating": 5.0}]
    disliked: list[HistoryEntry] = [{"movie_id": "m3", "rating": 1.0}]
    queries = [RecommendQuery(user_id="42", history=history) for history in (liked, disliked, liked, [])]
    answers = recommender.answer(queries)
    for query, answer in zip(queries, answers, strict=True):
        assert isinstance(answer, Recommendation)
        expected = tiny.recommend("42", list(query.history))[:10]
        assert list(zip(answer.rows.tolist(), answer.scores.tolist(), strict=True)) == expected
    assert len({str(content(answer)) for answer in answers}) == 3


def test_an_invalid_query_of_a_batch_does_not_affect_the_others(recommender: Recommender) -> None:
    good = RecommendQuery(user_id="42")
    unknown = RecommendQuery(user_id="42", history=[{"movie_id": "m999", "rating": None}], strict=True)
    wrong = RecommendQuery(history=[{"movie_id": "m1", "rating": 9}])
    answers = recommender.answer([unknown, good, wrong, good])
    assert isinstance(answers[0], UnknownMovie)
    assert isinstance(answers[2], InvalidField)
    assert content(answers[1]) == content(answers[3]) == content(recommender.recommend(good))


def test_ratings_of_a_batch_equal_those_predicted_alone(recommender: Recommender) -> None:
    pairs = [
        RatingQuery(user_id=user_id, movie_id=movie_id) for user_id in USER_IDS for movie_id in ("m3", "m4")
    ]
    answers: list[Any] = recommender.answer([*pairs, RatingQuery(user_id="42")])
    assert isinstance(answers.pop(), InvalidField)
    assert answers == [recommender.predict_rating(pair) for pair in pairs]
    assert recommender.answer([]) == []


@pytest.mark.parametrize("rank_by", ["rating", "blend"])
def test_only_the_best_by_score_are_re_ranked(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch, rank_by: Any
) -> None:
    monkeypatch.setattr("service.recommending.recommended_lists.DEEPEST", 30)
    best = recommender.recommend(RecommendQuery(user_id="42", k=30)).rows.tolist()
    ordered = recommender.recommend(RecommendQuery(user_id="42", k=30, rank_by=rank_by)).rows.tolist()
    assert sorted(ordered) == sorted(best)
    assert ordered != best
