"""A batch through the tiny bundle's recommender: what is answered, and what is reported of it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tiny_model import MOVIE_IDS

from service.batching.answering import BatchAnswerer
from service.errors import NoBundle, UnknownMovie
from service.recommending.queries import Query, RatingQuery, RecommendQuery
from service.recommending.recommender import Recommender
from service.telemetry.observer import Observer


class Events(Observer):
    def __init__(self) -> None:
        self.batches: list[tuple[str, int]] = []
        self.answers: list[tuple[str, int]] = []
        self.stages: list[str] = []

    def batch(self, endpoint: str, size: int) -> None:
        self.batches.append((endpoint, size))

    def served(self, source: str, count: int) -> None:
        self.answers.append((source, count))

    def stage(self, stage: str, seconds: float) -> None:
        assert 0 <= seconds < 60
        self.stages.append(stage)


QUERIES: list[Query] = [
    RecommendQuery(user_id="42", k=3),
    RatingQuery(user_id="42", movie_id=MOVIE_IDS[17]),
    RatingQuery(user_id="42", movie_id="nowhere"),
    RecommendQuery(user_id="new", k=2),
    RecommendQuery(user_id="7", k=4, explain=True),
]


def test_answers_are_in_the_order_of_their_queries_and_a_refused_one_is_its_error(
    recommender: Recommender,
) -> None:
    answers = BatchAnswerer(lambda: recommender, Observer())(QUERIES)
    assert answers.bundle_id == "tiny-1"
    documents: list[Any] = [json.loads(each) if isinstance(each, bytes) else each for each in answers.encoded]
    assert [len(documents[place]["items"]) for place in (0, 3, 4)] == [3, 2, 4]
    assert [documents[place]["user_id"] for place in (0, 1, 3, 4)] == ["42", "42", "new", "7"]
    assert documents[1]["movie_id"] == MOVIE_IDS[17]
    assert isinstance(documents[2], UnknownMovie)


def test_batch_sizes_items_and_stages_are_reported(recommender: Recommender) -> None:
    events = Events()
    BatchAnswerer(lambda: recommender, events)(QUERIES)
    assert events.batches == [("recommend", 3), ("predict_rating", 2)]
    assert events.answers == [("personalized", 7), ("popular", 2)]
    assert events.stages == ["history", "embed", "index", "rescore", "rating", "explain", "encode"]


def test_stages_without_work_and_kinds_without_queries_are_not_reported(recommender: Recommender) -> None:
    events = Events()
    BatchAnswerer(lambda: recommender, events)([QUERIES[1]])
    assert events.batches == [("predict_rating", 1)]
    assert events.stages == ["history", "embed", "rating", "encode"]


def test_explanations_that_no_client_waits_for_are_left_out(recommender: Recommender) -> None:
    answerer = BatchAnswerer(lambda: replace(recommender, cached_users=0), Observer())
    [wanted], [unwanted] = (
        answerer([QUERIES[4]], lambda: True).encoded,
        answerer([QUERIES[4]], lambda: False).encoded,
    )
    assert isinstance(wanted, bytes)
    assert isinstance(unwanted, bytes)
    assert any(item["because"] for item in json.loads(wanted)["items"])
    assert not any(item.get("because") for item in json.loads(unwanted)["items"])


def test_without_a_bundle_there_is_no_answer() -> None:
    def none() -> Recommender:
        raise NoBundle("nothing here")

    with pytest.raises(NoBundle):
        BatchAnswerer(none, Observer())(QUERIES)
