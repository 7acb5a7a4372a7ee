"""How many posts and imported events a second, and what the store costs recommendations."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from statistics import median

import httpx

from benchmarks.closed_loop import Run, run_closed
from benchmarks.measured_server import MeasuredServer

CONNECTIONS = 16
_BODIES = 40_000


def posts(server: MeasuredServer, movie_ids: Sequence[str], *, seconds: float) -> Run:
    """Posts of one event each, every one of which changes the store."""
    choose = random.Random(3)  # noqa: S311 the same bodies each time
    bodies = [
        {
            "events": [
                {
                    "user_id": f"poster-{place % 5_000}",
                    "movie_id": choose.choice(movie_ids),
                    "type": "rating",
                    "value": 1 + place % 5,
                    "timestamp": 1_700_000_000 + place,
                }
            ]
        }
        for place in range(_BODIES)
    ]
    return run_closed(server, "/feedback", bodies, connections=CONNECTIONS, seconds=seconds)


def imported_per_second(
    server: MeasuredServer, movie_ids: Sequence[str], *, users: Sequence[str], each: int
) -> float:
    """Events a second of one import of so many ratings of each user."""
    choose = random.Random(4)  # noqa: S311 the same events each time

    def lines() -> Iterator[bytes]:
        part: list[bytes] = []
        for user_id in users:
            part += [
                b'{"user_id":"%b","movie_id":"%b","type":"rating","value":%d,"timestamp":%d}\n'
                % (user_id.encode(), movie_id.encode(), 1 + place % 5, 1_700_000_000 + place)
                for place, movie_id in enumerate(choose.sample(list(movie_ids), each))
            ]
            if len(part) > 1_000:
                yield b"".join(part)
                part = []
        yield b"".join(part)

    started = time.perf_counter()
    answer = httpx.post(
        f"{server.url}/feedback/import",
        content=lines(),
        headers={"Content-Type": "application/x-ndjson"},
        timeout=600,
    )
    answer.raise_for_status()
    records: int = answer.json()["records"]
    return records / (time.perf_counter() - started)


def recommends(
    servers: Sequence[MeasuredServer], users: Sequence[str], *, rounds: int, seconds: float
) -> list[float]:
    """Answers a second of each server, medians over rounds in which they take turns."""
    choose = random.Random(5)  # noqa: S311 the same users each time
    bodies = [{"user_id": user_id} for user_id in choose.choices(list(users), k=4_000)]
    rates: list[list[float]] = [[] for _ in servers]
    for _ in range(rounds):
        for server, own in zip(servers, rates, strict=True):
            run = run_closed(server, "/recommend", bodies, connections=CONNECTIONS, seconds=seconds)
            own.append(run.per_second)
    return [median(own) for own in rates]
