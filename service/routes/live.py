"""The live bundle, as a request sees it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from fastapi import Request

from service.batching.searching_threads import SearchingThreads
from service.recommending.recommender import Recommender
from service.telemetry.observer import Observer, SearchStage
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


async def off_the_loop(request: Request, work: Callable[[], T], *, stage: SearchStage | None = None) -> T:
    """Does what takes milliseconds in a thread, so that the event loop goes on.

    Args:
        request: Of the client.
        work: What to do.
        stage: What it counts as; None where nobody asks how long it takes.

    Raises:
        QueueFull, DeadlineExceeded: See `SearchingThreads.run`.
    """
    threads: SearchingThreads = request.app.state.searching
    observer: Observer = request.app.state.telemetry

    def timed() -> T:
        started = perf_counter()
        done = work()
        if stage is not None:
            observer.search(stage, perf_counter() - started)
        return done

    return await threads.run(timed)
