"""Kill the service, or its database, under posts: is what was acknowledged there, once and whole?"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.measured_server import MeasuredServer
from benchmarks.postgres_server import PostgresServer

_THREADS = 8


@dataclass
class Posted:
    """Events by their ids.

    Attributes:
        sent: All that were sent, acknowledged or not, as they were.
        acknowledged: Ids of those that were.
        kills: How often the service, or the database, was killed.
    """

    sent: dict[str, dict[str, object]] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    kills: int = 0


@dataclass(frozen=True)
class Losses:
    """What is wrong with the store afterwards; all zero where nothing is."""

    missing: int
    doubled: int
    torn: int


def kill_often(artifacts: Path, settings: Mapping[str, str], *, kills: int, seconds: float = 1.5) -> Posted:
    """Start the service, post for a random while, kill all its processes; so often.

    Args:
        artifacts: With a bundle.
        settings: With MATINEE_STORE.
        kills: How often.
        seconds: The longest while.
    """
    posted, choose = Posted(), random.Random(7)  # noqa: S311 the same moments each time
    for number in range(kills):
        with MeasuredServer.service(artifacts, settings) as server:
            with _posting(server.url, str(number), posted):
                time.sleep(choose.uniform(0.05, seconds))
                for process_id in (server.pid, *server.workers):
                    os.kill(process_id, signal.SIGKILL)
            posted.kills += 1
    return posted


def kill_database_often(url: str, database: PostgresServer, *, kills: int, seconds: float = 3.0) -> Posted:
    """Post to a running service whose database is killed and started again, so often.

    Args:
        url: Of the service.
        database: Its database.
        kills: How often.
        seconds: The longest while between two kills.
    """
    posted, choose = Posted(), random.Random(8)  # noqa: S311 the same moments each time
    with _posting(url, "database", posted, persistent=True):
        for _ in range(kills):
            time.sleep(choose.uniform(0.5, seconds))
            database.kill()
            database.start()
            posted.kills += 1
        _wait_for_more(posted)
    return posted


def losses_of(url: str, posted: Posted) -> Losses:
    """Compare what was posted with what is exported."""
    found: Counter[str] = Counter()
    torn, cursor = 0, 0
    while True:
        lines = httpx.get(
            f"{url}/feedback", params={"cursor": cursor, "limit": 50_000}, timeout=60
        ).text.splitlines()
        if not lines:
            break
        for line in lines:
            stored = json.loads(line)
            cursor = stored.pop("position")
            event_id = stored.get("event_id", stored["movie_id"])
            found[event_id] += 1
            expected = posted.sent.get(event_id)
            same = expected is not None and all(
                stored.get(name) == value for name, value in expected.items() if name != "event_id"
            )
            torn += not same
    return Losses(
        missing=sum(found[each] == 0 for each in posted.acknowledged),
        doubled=sum(count > 1 for count in found.values()),
        torn=torn,
    )


@contextmanager
def _posting(url: str, name: str, posted: Posted, *, persistent: bool = False) -> Iterator[None]:
    """Post from several threads until the context ends."""
    stopping = threading.Event()
    threads = [
        threading.Thread(target=_post, args=(url, f"{name}-{thread}", posted, stopping, persistent))
        for thread in range(_THREADS)
    ]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        stopping.set()
        for each in threads:
            each.join()


def _wait_for_more(posted: Posted, seconds: float = 60.0) -> None:
    """Wait until something is acknowledged again.

    Raises:
        TimeoutError: It is not.
    """
    before, ends = len(posted.acknowledged), time.monotonic() + seconds
    while len(posted.acknowledged) < before + _THREADS:
        if time.monotonic() > ends:
            raise TimeoutError(f"expected posts to be acknowledged again, got none within {seconds:.0f} s")
        time.sleep(0.1)


def _post(url: str, name: str, posted: Posted, stopping: threading.Event, persistent: bool) -> None:
    """Post events, each several times as a client does that is not sure, until the service is gone.

    Where `persistent`, an event is sent again until it is acknowledged.
    """
    with httpx.Client(base_url=url, timeout=10) as client:
        # Clicks of long ago would be deleted within a minute, as retention wants it.
        place, first = 0, int(time.time()) - 86_400
        while not stopping.is_set():
            place += 1
            id_ = f"{name}-{place}"
            event: dict[str, object] = {"user_id": name, "movie_id": id_, "timestamp": first + place}
            if place % 2:
                event |= {"type": "click", "event_id": id_}
            else:
                event |= {"type": "rating", "value": 1 + place % 5}
            posted.sent[id_] = event
            while not _acknowledged(client, event, times=1 + place % 2):
                if stopping.is_set() or not persistent:
                    return
                time.sleep(0.05)
            posted.acknowledged.add(id_)


def _acknowledged(client: httpx.Client, event: dict[str, object], *, times: int) -> bool:
    try:
        for _ in range(times):
            client.post("/feedback", json={"events": [event]}).raise_for_status()
    except httpx.HTTPError:
        return False
    return True
