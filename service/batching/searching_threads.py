"""Threads for what takes milliseconds without the model, such as a search of titles: few, with bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

from service.errors import DeadlineExceeded, QueueFull
from service.settings import Settings
from service.telemetry.observer import Observer

T = TypeVar("T")


class SearchingThreads:
    """Works off the event loop, on a few requests at a time, while a bounded number waits.

    Args:
        settings: Number of threads, how many requests may wait, and for how long.
        observer: Is told of the requests that are given up.
    """

    def __init__(self, settings: Settings, observer: Observer) -> None:
        self._limiter = CapacityLimiter(settings.catalogue_threads)
        self._queue_size = settings.queue_size
        self._timeout_ms = settings.request_timeout_ms
        self._observer = observer

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns, or raises.

        Raises:
            QueueFull: As many requests as may wait are waiting; at once.
            DeadlineExceeded: The work was not begun in time, and is dropped.
        """
        if self._limiter.statistics().tasks_waiting >= self._queue_size:
            self._observer.rejected("queue_full")
            raise QueueFull(
                f"{self._queue_size} requests are waiting, which is as many as may; try again shortly"
            )
        try:
            with fail_after(self._timeout_ms / 1000):
                return await to_thread.run_sync(work, limiter=self._limiter)
        except TimeoutError as error:
            self._observer.rejected("deadline")
            raise DeadlineExceeded(f"no answer within {self._timeout_ms} ms; try again shortly") from error
