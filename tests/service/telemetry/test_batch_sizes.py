"""`matinee_batch_size` over HTTP: sizes add up to the queries of each endpoint, counts to its model calls."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from prometheus_text import value
from tiny_model import MOVIE_IDS, USER_IDS

from service.app import create_app
from service.settings import Settings

Call = tuple[str, dict[str, Any]]
"""A path and the body that is posted there."""


def metrics_after(artifacts: Path, *rounds: Sequence[Call]) -> str:
    """What `/metrics` answers after rounds of requests, those of one round sent at the same time."""
    app = create_app(Settings(artifacts=artifacts), wait_for_bundle=True)

    async def run() -> str:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://service") as client,
        ):
            for calls in rounds:
                answers = await asyncio.gather(*(client.post(path, json=body) for path, body in calls))
                assert {answer.status_code for answer in answers} == {200}
            return (await client.get("/metrics")).text

    return asyncio.run(run())


def calls_and_queries(metrics: str, endpoint: str) -> tuple[float | None, float | None]:
    count, total = (value(metrics, f"batch_size_{name}", endpoint=endpoint) for name in ("count", "sum"))
    return count, total


def recommend(number: int) -> Call:
    return "/recommend", {"user_id": USER_IDS[number % len(USER_IDS)], "k": 3}


def rate(number: int) -> Call:
    return "/predict_rating", {"user_id": USER_IDS[number % len(USER_IDS)], "movie_id": MOVIE_IDS[number]}


def test_each_request_alone_is_a_model_call_of_one_query(tiny_artifacts: Path) -> None:
    rounds = [[recommend(0)], [rate(0)], [recommend(1)], [recommend(2)]]
    metrics = metrics_after(tiny_artifacts, *rounds)
    assert calls_and_queries(metrics, "recommend") == (3, 3)
    assert calls_and_queries(metrics, "predict_rating") == (1, 1)


def test_the_sizes_of_shared_model_calls_add_up_to_the_queries_of_each_endpoint(
    tiny_artifacts: Path,
) -> None:
    together = [*(recommend(number) for number in range(13)), *(rate(number) for number in range(7))]
    metrics = metrics_after(tiny_artifacts, together)
    for endpoint, queries in (("recommend", 13), ("predict_rating", 7)):
        calls, answered = calls_and_queries(metrics, endpoint)
        assert answered == queries
        assert calls is not None
        assert 1 <= calls < queries


def test_a_batch_request_is_one_model_call_of_all_its_elements(tiny_artifacts: Path) -> None:
    lists = ("/recommend/batch", {"requests": [recommend(number)[1] for number in range(5)]})
    stars = ("/predict_rating/batch", {"pairs": [rate(number)[1] for number in range(9)]})
    metrics = metrics_after(tiny_artifacts, [lists], [stars])
    assert calls_and_queries(metrics, "recommend") == (1, 5)
    assert calls_and_queries(metrics, "predict_rating") == (1, 9)
    buckets = [value(metrics, "batch_size_bucket", endpoint="recommend", le=le) for le in ("4.0", "8.0")]
    assert buckets == [0, 1]
