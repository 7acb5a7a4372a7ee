"""Send events several times, in any order, from many clients: does it end as each sent once?"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

_CLIENTS = 8
_MOST_TIMES = 5
_USERS = 50


def make_events(movie_ids: Sequence[str], number: int) -> list[dict[str, object]]:
    """Make events of 50 users, many of one user and movie, at times of their own."""
    choose = random.Random(11)  # noqa: S311 the same events each time
    first = int(time.time()) - 86_400  # clicks of long ago would be deleted, as retention wants it
    events: list[dict[str, object]] = []
    for place in range(number):
        event: dict[str, object] = {
            "user_id": f"storm-{choose.randrange(_USERS)}",
            "movie_id": choose.choice(movie_ids[:40]),
            "timestamp": first + place,
            "event_id": f"storm-{place}",
            "type": choose.choice(("rating", "watch", "hide", "click")),
        }
        if event["type"] == "rating":
            event["value"] = choose.randint(1, 5)
        events.append(event)
    return events


def send_once(url: str, events: Sequence[dict[str, object]]) -> None:
    """Send each event once, in order."""
    with httpx.Client(base_url=url, timeout=30) as client:
        for start in range(0, len(events), 100):
            _send(client, events[start : start + 100])


def send_often(url: str, events: Sequence[dict[str, object]]) -> int:
    """Send each event one to five times, shuffled, from eight clients at once; returns how many were sent."""
    choose = random.Random(12)  # noqa: S311 the same order each time
    sent = [event for event in events for _ in range(choose.randint(1, _MOST_TIMES))]
    choose.shuffle(sent)

    def run(client_number: int) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            own = sent[client_number::_CLIENTS]
            for start in range(0, len(own), 7):
                _send(client, own[start : start + 7])

    with ThreadPoolExecutor(_CLIENTS) as pool:
        list(pool.map(run, range(_CLIENTS)))
    return len(sent)


def final_state(url: str) -> list[dict[str, object]]:
    """Return what is exported, without positions, in an order of its own."""
    lines = httpx.get(f"{url}/feedback", params={"limit": 50_000}, timeout=60).raise_for_status().text
    stored = [json.loads(line) for line in lines.splitlines()]
    for each in stored:
        del each["position"]
        if each["type"] != "click":
            each.pop("event_id", None)
    return sorted(stored, key=lambda each: json.dumps(each, sort_keys=True))


def _send(client: httpx.Client, events: Sequence[dict[str, object]]) -> None:
    client.post("/feedback", json={"events": list(events)}).raise_for_status()
