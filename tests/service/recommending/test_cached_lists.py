"""The cache of lists never changes an answer, and saves the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from service.live.live_users import NO_STORE, LiveMovie, LiveUser, LiveView, Withheld
from service.recommending.candidate_search import CandidateSearch
from service.recommending.queries import MovieFilter, Recommendation, RecommendQuery
from service.recommending.recommender import Recommender

PLAIN = RecommendQuery(user_id="42", k=3)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lists each search was for."""
    sizes: list[int] = []
    search = CandidateSearch.best_of_each

    def counted(self: CandidateSearch, embeddings: Any, allowed: Any, *rest: Any, **named: Any) -> Any:
        sizes.append(len(allowed))
        return search(self, embeddings, allowed, *rest, **named)

    monkeypatch.setattr(CandidateSearch, "best_of_each", counted)
    return sizes


@pytest.fixture
def caching(recommender: Recommender) -> Recommender:
    return replace(recommender, cached_users=100)


def ask(recommender: Recommender, query: RecommendQuery, live: LiveView = NO_STORE) -> list[Sequence[float]]:
    [answer] = recommender.answer([query], live=live)
    assert isinstance(answer, Recommendation)
    columns = answer.rows, answer.scores, answer.rank_scores, answer.predicted_ratings
    return [[answer.offset], *(column.tolist() for column in columns)]


def test_a_list_is_searched_once_and_its_pages_are_those_without_the_cache(
    recommender: Recommender, caching: Recommender, searched: list[int]
) -> None:
    without = replace(recommender, cached_users=0)
    pages = [replace(PLAIN, k=k, offset=offset) for k, offset in ((5, 0), (3, 0), (1, 0), (2, 1), (1, 4))]
    expected = [ask(without, page) for page in pages]
    searched.clear()
    assert [ask(caching, page) for page in pages] == expected
    assert searched == [1]


def test_a_longer_list_than_the_cached_one_is_searched_and_cached(
    caching: Recommender, searched: list[int]
) -> None:
    for k in (2, 4, 4, 2):
        ask(caching, replace(PLAIN, k=k))
    assert searched == [1, 1]


@pytest.mark.parametrize(
    "query",
    [
        replace(PLAIN, history=[{"movie_id": "m3", "rating": 5.0}]),
        replace(PLAIN, timestamp=1),
        replace(PLAIN, exclude_seen=False),
        replace(PLAIN, exclude=["m1"]),
        replace(PLAIN, filter=MovieFilter(genres_none=["Comedy"])),
        replace(PLAIN, rank_by="rating"),
        replace(PLAIN, diversity=0.5),
        replace(PLAIN, explore=0.5),
        replace(PLAIN, explain=True),
        replace(PLAIN, k=33),
        replace(PLAIN, user_id="nobody"),
    ],
)
def test_whatever_else_decides_a_list_is_never_cached_nor_answered_from_it(
    query: RecommendQuery, caching: Recommender, recommender: Recommender, searched: list[int]
) -> None:
    without = replace(recommender, cached_users=0)
    ask(caching, PLAIN)
    searched.clear()
    assert [ask(caching, query) for _ in range(2)] == [ask(without, query)] * 2
    assert len(searched) >= 3


def test_another_version_of_the_user_or_of_what_is_withheld_is_searched_anew(
    caching: Recommender, searched: list[int]
) -> None:
    [[_], [first, *_], *_] = ask(caching, PLAIN)
    movie_id = caching.catalogue.movie_ids[int(first)]
    watched = LiveMovie(movie_id, None, None, seen_at=1, removed_at=None, is_hidden=False)
    for version in (1, 2):
        view = LiveView(users={"42": LiveUser(version, (watched,))})
        assert first not in ask(caching, PLAIN, view)[1]
    withholding = LiveView(withheld=Withheld(3, frozenset([movie_id])))
    assert first not in ask(caching, PLAIN, withholding)[1]
    assert ask(caching, PLAIN)[1][0] == first
    assert searched == [1] * 5


def test_the_oldest_list_is_evicted(recommender: Recommender, searched: list[int]) -> None:
    two = replace(recommender, cached_users=2)
    for user_id in ("42", "7", "42", "é", "7", "42"):
        ask(two, RecommendQuery(user_id=user_id))
    assert len(searched) == 4


def test_a_service_that_explores_caches_no_lists(recommender: Recommender, searched: list[int]) -> None:
    exploring = replace(recommender, cached_users=100, explore=0.2)
    ask(exploring, PLAIN)
    ask(exploring, PLAIN)
    assert len(searched) >= 2
