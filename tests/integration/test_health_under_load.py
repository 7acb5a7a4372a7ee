"""The real process at its limit: `/healthz` is answered all the same."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from service_process import running_service

SECONDS = 4.0
CONNECTIONS = 16
MOST_P99_SECONDS = 0.05


async def ask_until(end: float, client: httpx.AsyncClient, body: dict[str, Any], path: str) -> int:
    answered = 0
    while time.monotonic() < end:
        answer = await client.post(path, json=body)
        assert answer.status_code == 200
        answered += 1
    return answered


async def load_and_look(base_url: str) -> tuple[int, list[float]]:
    """Answers that the load got, and how long each look at `/healthz` took."""
    end = time.monotonic() + SECONDS
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"user_id": "42", "k": 10}, "/recommend"),
        ({"user_id": "42", "movie_id": "m3"}, "/predict_rating"),
        ({"user_id": "7", "k": 100, "rank_by": "blend", "diversity": 0.5, "explain": True}, "/recommend"),
        ({"requests": [{"user_id": "42", "explain": True}] * 64}, "/recommend/batch"),
    ]
    looks = []
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=30) as client,
        httpx.AsyncClient(base_url=base_url, timeout=30) as observer,
        asyncio.TaskGroup() as group,
    ):
        loads = [
            group.create_task(ask_until(end, client, *bodies[place % len(bodies)]))
            for place in range(CONNECTIONS)
        ]
        while time.monotonic() < end:
            started = time.monotonic()
            assert (await observer.get("/healthz")).status_code == 200
            looks.append(time.monotonic() - started)
            await asyncio.sleep(0.01)
    return sum(load.result() for load in loads), looks


@pytest.mark.slow
def test_healthz_stays_below_50_ms_while_the_service_runs_at_its_limit(
    tiny_artifacts: Path, tmp_path: Path
) -> None:
    """A figure of a quiet machine: the client here shares its cores and its event loop with the load."""
    with running_service(tiny_artifacts, tmp_path / "log") as service:
        service.wait_until_ready()
        answered, looks = asyncio.run(load_and_look(str(service.client.base_url)))
    assert answered > 100
    assert len(looks) > 50
    assert sorted(looks)[int(0.99 * len(looks))] <= MOST_P99_SECONDS
