"""Movies with few ratings get the share of places that a query asks for, and nothing else changes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import MOVIE_IDS, NUM_CANDIDATES, USER_IDS, TinyModel

from service.recommending import exploration
from service.recommending.exploration import explored_places, insert, phase_of
from service.recommending.queries import MovieFilter, RatingQuery, Recommendation, RecommendQuery
from service.recommending.ranking import RankedList
from service.recommending.recommender import Recommender
from service.settings import IndexKind

MakeExplorer = Callable[..., Recommender]


@pytest.fixture
def explorer(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> MakeExplorer:
    """Recommenders for which a movie is cold that nobody rated."""
    monkeypatch.setattr(exploration, "COLD_RATINGS", 1)
    # A catalogue as small as this one is scanned otherwise, whatever the index is.
    monkeypatch.setattr("service.recommending.candidate_search.LEVELS", ((10, 12), (20, 30), (30, 40)))
    return lambda **changes: replace(recommender, **changes)


def ask(recommender: Recommender, **fields: Any) -> Recommendation:
    return recommender.recommend(RecommendQuery(**fields))


def best_cold(tiny: TinyModel, user_id: str) -> list[int]:
    """Unrated movies by score without its last product, best first."""
    query = tiny.embed(user_id, tiny.seen(user_id, []), None)
    scores = tiny.candidates[:, :-1] @ query[:-1]
    cold = [row for row in range(NUM_CANDIDATES) if tiny.num_ratings(row) == 0]
    return sorted(cold, key=lambda row: (-scores[row], row))


@pytest.mark.parametrize(
    ("share", "depth", "places"),
    [
        (0.1, 30, [10, 20, 30]),
        (0.05, 39, [20]),
        (0.5, 5, [2, 4]),
        (0.4, 10, [3, 5, 8, 10]),
        (1, 3, [1, 2, 3]),
        (0, 9, []),
        (0.1, 0, []),
    ],
)
def test_explored_places_are_spread_evenly(share: float, depth: int, places: list[int]) -> None:
    assert (1 + np.flatnonzero(explored_places(share, depth))).tolist() == places


@given(st.integers(0, 100), st.integers(0, 1_000), st.integers(0, 1_000), st.floats(0, 0.99))
def test_as_many_places_are_explored_as_the_share_says_whatever_comes_after(
    percent: int, depth: int, deeper: int, phase: float
) -> None:
    assert explored_places(percent / 100, depth).sum() == percent * depth // 100
    places = explored_places(percent / 100, depth, phase)
    assert places.sum() - percent * depth // 100 in {0, 1}
    longer = explored_places(percent / 100, depth + deeper, phase)
    assert longer[:depth].tolist() == places.tolist()


def test_over_many_users_every_place_is_explored_as_often_as_the_share_says() -> None:
    nothing = np.empty(0, np.int32)
    phases = [phase_of(f"user {number}", nothing) for number in range(2_000)]
    often = np.mean([explored_places(0.05, 10, phase) for phase in phases], axis=0)
    assert often == pytest.approx(np.full(10, 0.05), abs=0.02)
    assert phase_of("a", nothing) == phase_of("a", np.array([1], np.int32)) != phase_of("b", nothing)
    assert phase_of(None, np.array([1], np.int32)) != phase_of(None, np.array([2], np.int32))


def ranked(rows: list[int]) -> RankedList:
    scores = np.arange(len(rows), 0, -1)
    return RankedList(np.array(rows, np.int32), scores.astype(np.float32), scores.astype(float) * 10)


@pytest.mark.parametrize(
    ("rows", "cold", "share", "merged", "inserted"),
    [
        ([1, 2, 3, 4], [9, 8], 0.5, [1, 9, 2, 8], [1, 3]),
        ([1, 2, 3, 4], [2, 8], 0.5, [1, 2, 3, 8], [1, 3]),  # a cold one that is in the list anyway
        ([1, 8, 3, 4], [8, 9], 0.25, [1, 8, 3, 9], [3]),  # or has its own place before
        ([1, 2], [9, 8], 0.5, [1, 9, 2, 8], [1, 3]),
        ([1, 2, 3, 4], [], 0.5, [1, 2, 3, 4], []),
        ([], [9, 8], 0.5, [9, 8], [0, 1]),
        ([1, 2], [9, 8], 1, [9, 8, 1, 2], [0, 1]),
        ([], [], 0.5, [], []),
    ],
)
def test_lists_are_merged_without_repeating_a_movie(
    rows: list[int], cold: list[int], share: float, merged: list[int], inserted: list[int]
) -> None:
    of = ranked(rows)
    explored = insert(of, np.array(cold, np.int32), explored_places(share, 4))
    assert of.rows.tolist() == merged
    assert np.flatnonzero(explored).tolist() == inserted
    assert np.all(np.diff(of.keys) <= 0)
    kept = dict(zip(rows, range(len(rows), 0, -1), strict=True))
    own = [row for row, new in zip(merged, explored.tolist(), strict=True) if not new]
    assert of.scores[~explored].tolist() == [kept[row] for row in own]
    assert of.keys[~explored].tolist() == [10 * kept[row] for row in own]


@pytest.mark.parametrize("kind", ["annoy", "exact", "auto"])
def test_the_best_cold_movies_without_their_bias_get_the_places(
    kind: IndexKind, explorer: MakeExplorer, tiny: TinyModel
) -> None:
    recommender = explorer(index_kind=kind)
    for user_id in USER_IDS:
        answer = ask(recommender, user_id=user_id, explore=0.2)
        assert answer.explored is not None
        assert answer.explored.sum() == 2
        usual = ask(recommender, user_id=user_id, k=12).rows.tolist()
        own = answer.rows[~answer.explored].tolist()
        assert own == [row for row in usual if row in own][:8]
        for place in np.flatnonzero(answer.explored).tolist():
            before = answer.rows[:place].tolist()
            assert answer.rows[place] == next(row for row in best_cold(tiny, user_id) if row not in before)
        scores = dict(tiny.recommend(user_id))
        assert answer.scores.tolist() == [scores[row] for row in answer.rows.tolist()]
        assert answer.predicted_ratings.tolist() == pytest.approx(
            [tiny.stars(row, user_id) for row in answer.rows.tolist()], abs=1e-6
        )


@pytest.mark.parametrize("kind", ["annoy", "exact"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"rank_by": "blend"},
        {"diversity": 0.4},
        {"rank_by": "rating", "diversity": 0.2},
        {"user_id": "nobody"},
        {"filter": MovieFilter(genres_any=["War"])},
        {"exclude": MOVIE_IDS[:100], "exclude_seen": False},
    ],
    ids=str,
)
def test_pages_fit_together_and_keys_never_rise(
    kind: IndexKind, fields: dict[str, Any], explorer: MakeExplorer, tiny: TinyModel
) -> None:
    recommender, query = explorer(index_kind=kind), {"user_id": "42", "explore": 0.3, **fields}
    whole = ask(recommender, **query, k=28)
    pages = [ask(recommender, **query, k=7, offset=start) for start in range(0, 28, 7)]
    for name in ("rows", "scores", "rank_scores", "predicted_ratings", "explored"):
        joined = np.concatenate([getattr(page, name) for page in pages])
        assert joined.tolist() == getattr(whole, name).tolist()
    assert np.all(np.diff(whole.rank_scores) <= 0)
    assert len(set(whole.rows.tolist())) == 28
    usual = ask(explorer(index_kind="exact"), **query | {"explore": 0}, k=NUM_CANDIDATES)
    by_row = dict(zip(usual.rows.tolist(), usual.scores.tolist(), strict=True))
    assert whole.scores.tolist() == [by_row[row] for row in whole.rows.tolist()]
    stars = dict(zip(usual.rows.tolist(), usual.predicted_ratings.tolist(), strict=True))
    assert whole.predicted_ratings.tolist() == [stars[row] for row in whole.rows.tolist()]
    assert whole.explored is not None
    assert all(tiny.num_ratings(row) == 0 for row in whole.rows[whole.explored].tolist())
    assert whole.explored.sum() in {8, 9}


def test_without_a_share_of_its_own_a_query_has_that_of_the_service(explorer: MakeExplorer) -> None:
    exploring = explorer(explore=0.5)
    half = ask(exploring, user_id="42", explore=0.5)
    unsaid = ask(exploring, user_id="42")
    assert unsaid.rows.tolist() == half.rows.tolist()
    assert unsaid.explored is not None
    assert unsaid.explored.sum() == 5
    none = ask(exploring, user_id="42", explore=0)
    usual = ask(explorer(), user_id="42")
    assert none.explored is usual.explored is None
    assert none.rows.tolist() == usual.rows.tolist()
    assert none.scores.tolist() == usual.scores.tolist()


def test_ratings_are_not_explored(explorer: MakeExplorer) -> None:
    query = RatingQuery(user_id="42", movie_id="m3")
    assert explorer(explore=1).predict_rating(query) == explorer().predict_rating(query)
