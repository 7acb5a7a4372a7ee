"""A load test over HTTP, with httpx: so many connections, each asking again as soon as it is answered.

    python -m benchmarks.load_test http://127.0.0.1:8000 --connections 16 --seconds 20

Half of the requests want recommendations for known users, a quarter for strangers with a history, a quarter a
predicted rating, drawn with a seed. One process of httpx offers several hundred requests a second: where the
service can do more, this measures the client.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx


def main() -> None:
    """Prints rate, percentiles and errors.

    Raises:
        SystemExit: 1 where an objective is missed, or the service does not answer.
    """
    parser = argparse.ArgumentParser(description="Rate, latency and errors of a running service.")
    parser.add_argument("url", help="such as http://127.0.0.1:8000")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--p99-ms", type=float, default=float("inf"), help="objective")
    parser.add_argument("--max-error-rate", type=float, default=1.0, help="objective")
    parser.add_argument("--min-rps", type=float, default=0.0, help="objective")
    arguments = parser.parse_args()
    try:
        result = asyncio.run(
            measure(arguments.url, arguments.connections, arguments.seconds, seed=arguments.seed)
        )
    except httpx.HTTPError as error:
        sys.exit(f"load_test: {arguments.url} does not answer as a service with a bundle: {error!r}")
    lines = [json.dumps(result)] if arguments.json else [f"{name}: {value}" for name, value in result.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    missed = (
        result["p99_ms"] > arguments.p99_ms
        or result["error_rate"] > arguments.max_error_rate
        or result["requests_per_second"] < arguments.min_rps
    )
    sys.exit(int(missed))


async def measure(url: str, connections: int, seconds: float, *, seed: int = 0) -> dict[str, Any]:
    """Asks for so long, and says what came.

    Raises:
        httpx.HTTPError: The service does not answer at all, or has no bundle.
    """
    latencies_ms: list[float] = []
    kinds: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        users = [each["user_id"] for each in await _items(client, "/users?limit=100")]
        movies = [each["movie_id"] for each in await _items(client, "/popular?k=100")]
        end = time.perf_counter() + seconds

        async def connection(number: int) -> None:
            requests = _requests(users, movies, random.Random(f"{seed} {number}"))  # noqa: S311 no secret
            while time.perf_counter() < end:
                path, body = next(requests)
                began = time.perf_counter()
                try:
                    kind = str((await client.post(path, json=body)).status_code)
                except httpx.HTTPError as error:
                    kind = type(error).__name__
                latencies_ms.append(1000 * (time.perf_counter() - began))
                kinds[kind] += 1

        began = time.perf_counter()
        await asyncio.gather(*map(connection, range(connections)))
        took = time.perf_counter() - began
    latencies_ms.sort()
    errors = {kind: count for kind, count in kinds.items() if kind != "200"}
    return {
        "requests": len(latencies_ms),
        "requests_per_second": round(len(latencies_ms) / took, 1),
        **{
            f"p{percent}_ms": round(latencies_ms[int(len(latencies_ms) * percent / 100)], 2)
            for percent in (50, 95, 99)
        },
        "errors": errors,
        "error_rate": sum(errors.values()) / len(latencies_ms),
    }


async def _items(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await client.get(path)).raise_for_status().json()["items"]
    return items


def _requests(
    users: list[str], movies: list[str], random_: random.Random
) -> Iterator[tuple[str, dict[str, Any]]]:
    while True:
        draw = random_.random()
        if draw < 0.5:
            yield "/recommend", {"user_id": random_.choice(users), "k": 10}
        elif draw < 0.75:
            liked = random_.sample(movies, 5)
            yield "/recommend", {"history": [{"movie_id": movie_id, "rating": 5} for movie_id in liked]}
        else:
            yield "/predict_rating", {"user_id": random_.choice(users), "movie_id": random_.choice(movies)}


if __name__ == "__main__":
    main()
