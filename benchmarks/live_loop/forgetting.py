"""Forget users, then roll back to another bundle that has them: does anything of them show?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.measured_server import MeasuredServer
from service.bundle.current import go_live

_ASKED_EACH = 5
_ROLLED_BACK_WITHIN_SECONDS = 600


def shown_after_forgetting(server: MeasuredServer, other: Path, user_ids: Sequence[str]) -> tuple[int, int]:
    """Forget users; ask for them, go back to another bundle, ask again.

    Args:
        server: With a bundle that has the users.
        other: Another such bundle, beside it.
        user_ids: The users.

    Returns:
        Requests in which something of them showed, and all requests.
    """
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for user_id in user_ids:
            client.delete(f"/users/{user_id}").raise_for_status()
    before = _shown(server.url, user_ids)
    go_live(other.parent, other.name)
    ends, in_a_row = time.monotonic() + _ROLLED_BACK_WITHIN_SECONDS, 0
    while in_a_row < 40:  # connections are distributed: so many reach every worker
        in_a_row = in_a_row + 1 if _bundle_of(server.url) == other.name else 0
        if time.monotonic() > ends:
            raise TimeoutError(f"expected {other.name} to be served within {_ROLLED_BACK_WITHIN_SECONDS} s")
    after = _shown(server.url, user_ids)
    return before + after, 2 * 2 * _ASKED_EACH * len(user_ids)


def _shown(url: str, user_ids: Sequence[str]) -> int:
    """Count requests in which something of the users shows, each by a connection of its own."""
    shown = 0
    for user_id in user_ids:
        for _ in range(_ASKED_EACH):
            with httpx.Client(base_url=url, timeout=30) as client:
                shown += client.get(f"/users/{user_id}").status_code != 404
                answer = client.get("/recommend", params={"user_id": user_id}).raise_for_status().json()
                shown += answer["source"] != "popular"
    return shown


def _bundle_of(url: str) -> str:
    with httpx.Client(base_url=url, timeout=30) as client:
        return str(client.get("/model").raise_for_status().json()["bundle_id"])
