"""Request bodies of the benchmark, made of a service's own users and movies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

import httpx

from benchmarks.closed_loop import Run, run_closed
from benchmarks.measured_server import MeasuredServer

Kind = Literal["known user", "cold-start user", "cold-start user, dislikes", "rating", "batch"]
"""Ten movies for a known user, or for one who sends ten movies of 3 to 5 stars, or of 1 to 5; one movie's
rating; many lists."""

PATHS: dict[Kind, str] = {
    "known user": "/recommend",
    "cold-start user": "/recommend",
    "cold-start user, dislikes": "/recommend",
    "rating": "/predict_rating",
    "batch": "/recommend/batch",
}
BATCH_SIZE = 256
CONNECTIONS = 16
_SENT = 10
_BATCHES = 40


class Rounds(NamedTuple):
    """How often each run is repeated, and how long it takes."""

    repeats: int
    seconds: float


class Bodies:
    """Request bodies for random users.

    Args:
        url: URL of a service, whose users and movies are used.
        count: How many of each kind.
    """

    def __init__(self, url: str, count: int = 2_000) -> None:
        draw = random.Random(0)  # noqa: S311 not for secrets
        users = [each["user_id"] for each in httpx.get(f"{url}/users?limit=500").json()["items"]]
        movies = [each["movie_id"] for each in httpx.get(f"{url}/popular?k=300").json()["items"]]
        known = [{"user_id": draw.choice(users), "k": 10} for _ in range(count)]
        self._bodies: dict[Kind, Sequence[object]] = {
            "known user": known,
            "cold-start user": [_history(movies, (3, 4, 5), draw) for _ in range(count)],
            "cold-start user, dislikes": [_history(movies, (1, 2, 3, 4, 5), draw) for _ in range(count)],
            "rating": [
                {"user_id": draw.choice(users), "movie_id": draw.choice(movies)} for _ in range(count)
            ],
            "batch": [{"items": draw.sample(known, BATCH_SIZE)} for _ in range(_BATCHES)],
        }

    def of(self, kind: Kind) -> Sequence[object]:
        """The bodies of a kind, as JSON values."""
        return self._bodies[kind]

    def load(self, server: MeasuredServer, kind: Kind, *, connections: int, seconds: float) -> Run:
        """Send those of a kind to a server for some time, each connection after its answer."""
        return run_closed(server, PATHS[kind], self.of(kind), connections=connections, seconds=seconds)


def _history(movies: Sequence[str], stars: Sequence[int], draw: random.Random) -> dict[str, object]:
    sent = [{"movie_id": movie_id, "rating": draw.choice(stars)} for movie_id in draw.sample(movies, _SENT)]
    return {"history": sent, "k": 10}
