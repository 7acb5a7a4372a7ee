"""Post that a movie was watched, ask at once by another connection: is it still recommended?"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

_CONNECTIONS = 6
_USERS = 40


@dataclass
class Tries:
    """What became of tries.

    Attributes:
        done: Posted, acknowledged and asked for.
        violations: Those of which the next answer knew nothing.
        seconds: Of each post, and of each answer after it.
    """

    done: int = 0
    violations: int = 0
    seconds: list[tuple[float, float]] = field(default_factory=list)


def try_many(urls: Sequence[str], *, tries: int, threads: int = 8) -> Tries:
    """Try so often in so many threads, each of which has several connections to each of the servers.

    Args:
        urls: Of servers with one store. Posts and questions go to any of them at random.
        tries: In total.
        threads: At the same time.
    """
    total = Tries()
    adding = threading.Lock()

    def run(number: int) -> None:
        own = _try(urls, number, tries // threads)
        with adding:
            total.done += own.done
            total.violations += own.violations
            total.seconds += own.seconds

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    return total


def _try(urls: Sequence[str], number: int, tries: int) -> Tries:
    choose = random.Random(number)  # noqa: S311 the same choices each time
    # A client for each connection: which worker has it is decided when it is made.
    clients = [httpx.Client(base_url=url, timeout=30) for url in urls for _ in range(_CONNECTIONS)]
    own = Tries()
    try:
        for place in range(tries):
            user_id = f"try-{number}-{place % _USERS}"
            listed = _listed(choose.choice(clients), user_id)
            if not listed:
                continue
            movie_id = choose.choice(listed)
            event = {"user_id": user_id, "movie_id": movie_id, "type": choose.choice(("watch", "hide"))}
            started = time.perf_counter()
            choose.choice(clients).post("/feedback", json={"events": [event]}).raise_for_status()
            posted = time.perf_counter()
            own.violations += movie_id in _listed(choose.choice(clients), user_id)
            own.seconds.append((posted - started, time.perf_counter() - posted))
            own.done += 1
    finally:
        for client in clients:
            client.close()
    return own


def _listed(client: httpx.Client, user_id: str) -> list[str]:
    answer = client.post("/recommend", json={"user_id": user_id, "k": 10}).raise_for_status().json()
    if "live" in answer:
        raise SystemExit("an answer was made without the store")
    return [item["movie_id"] for item in answer["items"]]
