"""The live bundle, as a request sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from service.batching.searching_threads import SearchingThreads
from service.recommending.recommender import Recommender
from service.telemetry.recording import BUNDLE_ID_IN_SCOPE

T = TypeVar("T")


def live_recommender(request: Request) -> Recommender:
    """The recommender of the live bundle. Take it once a request, which then sees one bundle throughout.

    Raises:
        BundleError: There is none.
    """
    live: Recommender = request.app.state.reloader.recommender
    request.scope[BUNDLE_ID_IN_SCOPE] = live.bundle_id
    return live


async def off_the_loop(request: Request, work: Callable[[], T]) -> T:
    """Does what takes milliseconds in a thread, so that the event loop goes on.

    Raises:
        QueueFull, DeadlineExceeded: See `SearchingThreads.run`.
    """
    threads: SearchingThreads = request.app.state.searching
    return await threads.run(work)
