"""Run searches of the catalogue, which take milliseconds without the model, in a few bounded threads."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from service.errors import DeadlineExceeded, QueueFull
from service.telemetry.observer import Observer, SearchStage

T = TypeVar("T")


class CatalogueThreads:
    """Runs work off the event loop, for a few requests at a time, while a bounded number waits.

    Args:
        observer: Receives rejections, and the seconds of each search.
        threads: Requests worked on at the same time.
        queue_size: Requests that may wait.
        timeout_seconds: How long one may wait.
    """

    def __init__(self, observer: Observer, *, threads: int, queue_size: int, timeout_seconds: float) -> None:
        self._limiter = CapacityLimiter(threads)
        self._queue_size = queue_size
        self._timeout_seconds = timeout_seconds
        self._observer = observer

    async def run(self, work: Callable[[], T], *, stage: SearchStage | None = None) -> T:
        """What the work returns, or raises.

        Args:
            work: What to do.
            stage: What its seconds are reported as; None reports none.

        Raises:
            QueueFull: As many requests as may wait are waiting; at once.
            DeadlineExceeded: The work was not begun in time, and is dropped.
        """
        if self._limiter.statistics().tasks_waiting >= self._queue_size:
            self._observer.rejected("queue_full")
            raise QueueFull(
                f"{self._queue_size} requests are waiting, which is as many as may; try again shortly"
            )

        def timed() -> T:
            started = perf_counter()
            result = work()
            if stage is not None:
                self._observer.search(stage, perf_counter() - started)
            return result

        try:
            with fail_after(self._timeout_seconds):
                return await to_thread.run_sync(timed, limiter=self._limiter)
        except TimeoutError as error:
            self._observer.rejected("deadline")
            raise DeadlineExceeded(
                f"no answer within {1000 * self._timeout_seconds:g} ms; try again shortly"
            ) from error
