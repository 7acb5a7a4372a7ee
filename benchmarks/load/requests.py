"""Random mix of requests, reproducible by seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.load.inventory import Inventory
from benchmarks.load.plan import KINDS
from matinee_client import calls
from matinee_client.call import Call
from matinee_client.requests import FilterRequest, SeenMovieRequest

MixedRequest = tuple[int, Call[Any]]
"""Index of the kind in `KINDS`, and the call."""


def mixed_requests(inventory: Inventory, mix: tuple[float, ...], seed: str) -> Iterator[MixedRequest]:
    """Generate requests without end.

    Args:
        inventory: Ids to use.
        mix: Weights of `KINDS`.
        seed: Random seed, different for each client process.
    """
    draw = random.Random(seed)  # noqa: S311  no secret
    makers: tuple[Callable[[Inventory, random.Random], Call[Any]], ...] = (
        _known,
        _cold_start,
        _filter,
        _rating,
    )
    while True:
        [kind] = draw.choices(range(len(KINDS)), mix)
        yield kind, makers[kind](inventory, draw)


def _known(inventory: Inventory, draw: random.Random) -> Call[Any]:
    return calls.recommend({"user_id": draw.choice(inventory.user_ids), "k": 10})


def _cold_start(inventory: Inventory, draw: random.Random) -> Call[Any]:
    """Recommend to a cold-start user with 1 to 20 movies, mostly few."""
    length = min(1 + int(draw.expovariate(0.2)), 20, len(inventory.movie_ids))
    history: list[SeenMovieRequest] = [
        {"movie_id": movie_id, "rating": draw.choice((3, 4, 5))}
        for movie_id in draw.sample(inventory.movie_ids, length)
    ]
    return calls.recommend({"history": history, "k": 10})


def _filter(inventory: Inventory, draw: random.Random) -> Call[Any]:
    """Recommend with one or two genres and, half of the time, a first year."""
    wanted: FilterRequest = {}
    if inventory.genres:
        wanted["genres_any"] = draw.sample(inventory.genres, min(draw.randint(1, 2), len(inventory.genres)))
    if inventory.years and draw.random() < 0.5:
        wanted["year_min"] = draw.choice(inventory.years)
    return calls.recommend({"user_id": draw.choice(inventory.user_ids), "k": 10, "filter": wanted})


def _rating(inventory: Inventory, draw: random.Random) -> Call[Any]:
    return calls.predict_rating(
        {"user_id": draw.choice(inventory.user_ids), "movie_id": draw.choice(inventory.movie_ids)}
    )
