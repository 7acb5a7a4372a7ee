"""Many different users at once, over HTTP: each gets the answer that the same request gets alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from service_client import asking
from tiny_model import FIRST_TIMESTAMP, MOVIE_IDS, USER_IDS, TinyModel

from service.app import create_app
from service.batching.batch_timing import BatchTiming
from service.settings import Settings

Request = tuple[str, dict[str, Any]]


def different_requests() -> list[Request]:
    """Requests of all kinds, no two alike, those of one kind seldom beside each other."""
    lists: list[Request] = []
    ratings: list[Request] = []
    for at, user_id in enumerate(USER_IDS):
        for k in (1, 3, 10):
            lists.append(("/recommend", {"user_id": user_id, "k": k}))
            ratings.append(("/predict_rating", {"user_id": user_id, "movie_id": MOVIE_IDS[17 * at + k]}))
        sent = [{"movie_id": MOVIE_IDS[at + row], "rating": 1 + (at + row) % 5} for row in range(3)]
        lists.append(("/recommend", {"history": sent, "k": 7}))
        lists.append(("/recommend", {"user_id": user_id, "history": sent, "timestamp": FIRST_TIMESTAMP + at}))
        lists.append(("/recommend", {"user_id": user_id, "rank_by": "blend", "diversity": 0.2, "k": 5}))
        lists.append(("/recommend", {"user_id": user_id, "rank_by": "rating", "k": 4, "explain": True}))
        ratings.append(("/predict_rating", {"history": sent, "movie_id": MOVIE_IDS[100 + at]}))
        ratings.append(("/predict_rating", {"user_id": user_id, "movie_id": f"unknown {at}"}))
    lists.append(("/recommend", {"user_id": "new", "k": 9}))
    lists.append(("/recommend", {}))
    mixed = [each for pair in zip(lists, cycle(ratings), strict=False) for each in pair]
    batch: Request = ("/recommend/batch", {"items": [body for _, body in lists[:20]]})
    pairs: Request = ("/predict_rating/batch", {"items": [body for _, body in ratings[:20]]})
    return [*mixed, batch, pairs]


REQUESTS = different_requests()


def dislikes(body: dict[str, Any]) -> bool:
    """Whether it is a cold-start user's who rated a movie with fewer than 3 stars."""
    return "user_id" not in body and any(each["rating"] < 3 for each in body.get("history", []))


def content(answer: httpx.Response) -> tuple[int, Any]:
    """Everything but the id of the request."""
    return answer.status_code, answer.json()


@pytest.fixture(scope="module")
def alone(tiny_artifacts: Path) -> Iterator[list[tuple[int, Any]]]:
    """Each request's answer from a service that gets one at a time, and caches no user."""
    settings = Settings(artifacts=tiny_artifacts, cached_users=0)
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield [content(ask("POST", path, json=body)) for path, body in REQUESTS]


@pytest.mark.parametrize("on_the_event_loop", [True, False])
@pytest.mark.parametrize("cached_users", [0, 5])
def test_each_gets_the_answer_that_it_gets_alone(
    on_the_event_loop: bool,
    cached_users: int,
    alone: list[tuple[int, Any]],
    tiny_artifacts: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []

    def is_quick(_: BatchTiming, num_queries: int) -> bool:
        sizes.append(num_queries)
        return on_the_event_loop

    monkeypatch.setattr(BatchTiming, "is_quick", is_quick)
    settings = Settings(artifacts=tiny_artifacts, cached_users=cached_users, batch_size=16)
    app = create_app(settings, wait_for_bundle=True)

    async def ask_all() -> list[tuple[int, Any]]:
        answers: dict[int, tuple[int, Any]] = {}
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://service", timeout=60) as client,
            anyio.create_task_group() as tasks,
        ):

            async def ask(place: int) -> None:
                path, body = REQUESTS[place]
                answers[place] = content(await client.post(path, json=body))

            for place in range(len(REQUESTS)):
                tasks.start_soon(ask, place)
        return [answers[place] for place in range(len(REQUESTS))]

    for _ in range(2):
        for got, expected, (path, body) in zip(anyio.run(ask_all), alone, REQUESTS, strict=True):
            assert got == expected, (path, body)
        app = create_app(settings, wait_for_bundle=True)
    assert 16 in sizes  # or the requests did not share batches


def test_the_answers_are_those_of_the_model(alone: list[tuple[int, Any]], tiny: TinyModel) -> None:
    """What each gets alone is right: by arithmetic, outside of the service."""
    for (status, answer), (path, body) in zip(alone, REQUESTS, strict=True):
        user_id, history = body.get("user_id"), body.get("history", [])
        if path == "/predict_rating" and status == 200:
            row = MOVIE_IDS.index(body["movie_id"])
            expected = tiny.stars(row, user_id, history)
            assert answer["predicted_rating"] == pytest.approx(expected, abs=1e-6)
        if path != "/recommend" or status != 200:
            continue
        scores = dict(tiny.recommend(user_id, history, body.get("timestamp")))
        for item in answer["items"]:
            row = MOVIE_IDS.index(item["movie_id"])
            stars = tiny.stars(row, user_id, history, body.get("timestamp"))
            assert item["predicted_rating"] == pytest.approx(stars, abs=1e-6)
            if answer["source"] != "popular":
                assert item["score"] == scores[row]
            if body.get("rank_by") == "rating":
                assert item["rank_score"] == item["predicted_rating"]
            elif "rank_by" not in body and not dislikes(body):
                assert item["rank_score"] == item["score"]
        if "rank_by" not in body and answer["source"] != "popular" and not dislikes(body):
            ranked = tiny.recommend(user_id, history, body.get("timestamp"))[: body.get("k", 10)]
            assert [MOVIE_IDS.index(item["movie_id"]) for item in answer["items"]] == [
                row for row, _ in ranked
            ]
