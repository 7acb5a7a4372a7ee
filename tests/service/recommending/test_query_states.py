"""The cache of query states never changes an answer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tiny_model import FIRST_TIMESTAMP

from service.bundle.query_tower import QueryTower
from service.live.live_users import LiveMovie, LiveUser, LiveView
from service.recommending.queries import Recommendation, RecommendQuery
from service.recommending.query_states import QueryStates
from service.recommending.recommender import Recommender
from service.recommending.tasks import ListTask

QUERIES = [
    RecommendQuery(user_id="42"),
    RecommendQuery(user_id="42", history=[{"movie_id": "m3", "rating": 5.0}]),
    RecommendQuery(user_id="42", history=[{"movie_id": "m3", "rating": 1.0}]),
    RecommendQuery(user_id="42", timestamp=FIRST_TIMESTAMP + 512),
    RecommendQuery(user_id="7"),
    RecommendQuery(user_id="nobody"),
    RecommendQuery(history=[{"movie_id": "m3", "rating": 5.0}]),
]


def answered(recommender: Recommender) -> list[list[Any]]:
    answers = recommender.answer(QUERIES)
    assert all(isinstance(answer, Recommendation) for answer in answers)
    return [
        [answer.rows.tolist(), answer.scores.tolist(), answer.predicted_ratings.tolist()]
        for answer in answers
        if isinstance(answer, Recommendation)
    ]


@pytest.mark.parametrize("size", [1, 2, 100])
def test_answers_are_the_same_with_and_without_the_cache(size: int, recommender: Recommender) -> None:
    anew = answered(replace(recommender, cached_users=0))
    caching = replace(recommender, cached_users=size)
    for _ in range(3):
        assert answered(caching) == anew
    lists = [repr(each) for each in anew]
    assert len({*lists}) == len(lists)


def test_only_queries_without_history_and_time_are_cached(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    read = QueryTower.read

    def counted(tower: QueryTower, inputs: Any) -> Any:
        calls.append(len(inputs))
        return read(tower, inputs)

    monkeypatch.setattr(QueryTower, "read", counted)
    caching = replace(recommender, cached_users=100)
    for _ in range(3):
        answered(caching)
    assert calls == [7, 4, 4]


def test_the_model_is_asked_only_for_what_the_bundle_has_no_state_of(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    histories, tower = recommender.histories, recommender.tower
    rows = np.arange(len(histories))
    stored = tower.read_stored(histories, rows, recommender.manifest.max_history)
    anew = answered(replace(recommender, cached_users=0))
    calls = []
    read = QueryTower.read

    def counted(tower: QueryTower, inputs: Any) -> Any:
        calls.append(len(inputs))
        return read(tower, inputs)

    monkeypatch.setattr(QueryTower, "read", counted)
    assert answered(replace(recommender, cached_users=0, stored_states=stored)) == anew
    assert calls == [5]  # not of 42 and 7 alone
    user = LiveUser(1, (LiveMovie("m30", 5.0, 1, seen_at=1, removed_at=None, is_hidden=False),))
    without, having = (replace(recommender, cached_users=0, stored_states=each) for each in (None, stored))
    view = LiveView(users={"42": user})
    expected, found = (each.answer(QUERIES[:1], live=view)[0] for each in (without, having))
    assert isinstance(expected, Recommendation)
    assert isinstance(found, Recommendation)
    assert found.scores.tolist() == expected.scores.tolist() != anew[0][1]


def test_two_bundles_share_no_cache(recommender: Recommender) -> None:
    one, two = (replace(recommender, cached_users=100) for _ in range(2))
    assert one.states is not two.states


def test_the_oldest_entry_is_evicted(recommender: Recommender) -> None:
    states = QueryStates(recommender.tower, 2)
    tasks = [recommender.tasks.make(RecommendQuery(user_id=user_id)) for user_id in ("42", "7", "ab")]
    people = [task.user for task in tasks if isinstance(task, ListTask)]
    read = states.read(people)
    assert len(states._cache) == 2
    np.testing.assert_array_equal(states.read(people[::-1]), read[::-1])
