"""Kill the service at random moments under posts: is what was acknowledged there, once and whole?"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.measured_server import MeasuredServer

_THREADS = 8


@dataclass
class Posted:
    """Events by their ids.

    Attributes:
        sent: All that were sent, acknowledged or not, as they were.
        acknowledged: Ids of those that were.
        kills: How often the service was killed.
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
            stopping = threading.Event()
            threads = [
                threading.Thread(target=_post, args=(server.url, f"{number}-{thread}", posted, stopping))
                for thread in range(_THREADS)
            ]
            for each in threads:
                each.start()
            time.sleep(choose.uniform(0.05, seconds))
            for process_id in (server.pid, *server.workers):
                os.kill(process_id, signal.SIGKILL)
            stopping.set()
            for each in threads:
                each.join()
            posted.kills += 1
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


def _post(url: str, name: str, posted: Posted, stopping: threading.Event) -> None:
    """Post events, each several times as a client does that is not sure, until the service is gone."""
    with httpx.Client(base_url=url, timeout=10) as client:
        place = 0
        while not stopping.is_set():
            place += 1
            id_ = f"{name}-{place}"
            event: dict[str, object] = {"user_id": name, "movie_id": id_, "timestamp": place}
            if place % 2:
                event |= {"type": "click", "event_id": id_}
            else:
                event |= {"type": "rating", "value": 1 + place % 5}
            posted.sent[id_] = event
            try:
                for _ in range(1 + place % 2):
                    client.post("/feedback", json={"events": [event]}).raise_for_status()
            except httpx.HTTPError:
                return
            posted.acknowledged.add(id_)
