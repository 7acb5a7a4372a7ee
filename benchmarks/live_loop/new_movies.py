"""Put a movie, ask at once by another connection: is it there, and where for who rated five alike?"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

_ALIKE = 5
_CONNECTIONS = 6
_DEEPEST = 500


@dataclass
class Places:
    """What became of movies that were put.

    Attributes:
        absent: Movies that the next answer did not have.
        ranks: Of the others, for a user who rated five alike.
        trained: Of the movies that they are copies of, which the bundle was trained with.
        seconds: Of each put.
    """

    absent: int = 0
    ranks: list[int] = field(default_factory=list)
    trained: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def share_within(depth: int, ranks: Sequence[int]) -> float:
    """How many are among the first so many."""
    return sum(rank <= depth for rank in ranks) / len(ranks) if ranks else 0.0


def place_many(url: str, movie_ids: Sequence[str], *, tries: int) -> Places:
    """Put copies of movies under new ids: each for a user who rated the five most similar of the rest.

    Args:
        url: Of a service with several workers.
        movie_ids: Of movies to copy, drawn from.
        tries: How many.
    """
    choose = random.Random(1)  # noqa: S311 the same choices each time
    places = Places()
    # A client for each connection: which worker has it is decided when it is made.
    clients = [httpx.Client(base_url=url, timeout=30) for _ in range(_CONNECTIONS)]
    try:
        for number, copied in enumerate(choose.sample([*movie_ids], min(tries, len(movie_ids)))):
            writer, reader = choose.sample(clients, 2)
            _place(writer, reader, copied, number, places)
    finally:
        for client in clients:
            client.close()
    return places


def _place(writer: httpx.Client, reader: httpx.Client, copied: str, number: int, places: Places) -> None:
    user_id, new_id = f"who rated five {number}", f"new {number}"
    movie = _json(writer.get(f"/movies/{copied}"))
    alike = _json(writer.get(f"/movies/{copied}/similar", params={"k": _ALIKE}))["items"]
    rated = [
        {"user_id": user_id, "movie_id": each["movie_id"], "type": "rating", "value": 5} for each in alike
    ]
    _json(writer.post("/feedback", json={"events": rated}))
    started = time.perf_counter()
    given = {name: movie[name] for name in ("title", "genres", "year")}
    _json(writer.put(f"/movies/{new_id}", json=given))
    places.seconds.append(time.perf_counter() - started)
    listed = _json(reader.post("/recommend", json={"user_id": user_id, "k": _DEEPEST}))["items"]
    ids = [item["movie_id"] for item in listed]
    one = {"user_id": user_id, "filter": {"movie_ids": [new_id]}}
    if not _json(reader.post("/recommend", json=one))["items"]:
        places.absent += 1
    else:
        places.ranks.append(_rank(new_id, ids))
        places.trained.append(_rank(copied, ids))
    _json(writer.delete(f"/movies/{new_id}"))


def _rank(movie_id: str, ids: Sequence[str]) -> int:
    return ids.index(movie_id) + 1 if movie_id in ids else _DEEPEST + 1


def _json(answer: httpx.Response) -> dict[str, list[dict[str, str]]]:
    answer.raise_for_status()
    document: dict[str, list[dict[str, str]]] = answer.json()
    return document
