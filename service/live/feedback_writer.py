"""Write feedback in one thread, several requests in one commit, and answer each only after it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from service.errors import MatineeError, QueueFull, StoreError
from service.live import store
from service.live.database import Connection, Database
from service.live.events import Event, Outcome
from service.live.migration import migrate
from service.live.retention import NO_END, Retention, compact

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_EVENTS = 20_000
"""Events that may wait, whatever the number of requests."""
EVENTS_PER_COMMIT = 4_000
"""Beyond, what waits is left to the next commit: no event waits for a very long one."""
COMPACT_SECONDS = 60.0
"""Between two looks at what is too old."""
ROWS_PER_COMPACTION = 1_000
BETWEEN_SECONDS = 0.1
"""Between two parts, so that waiting writers come first."""
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Session:
    """A connection within a transaction, with the store's key."""

    connection: Connection
    key: bytes


@dataclass(frozen=True)
class _Job(Generic[T]):
    """Work of one request: either events, or anything else that is written."""

    events: Sequence[Event]
    work: Callable[[Session], T] | None
    done: asyncio.Future[T]


class FeedbackWriter:
    """Writes what the requests of one event loop post. Made and used in that loop's thread.

    Args:
        database: Of the store.
        most_waiting: Requests that may wait.
        retention: How long what is only appended is kept.
        committed: Called in the writer's thread with the seconds of each commit.
    """

    def __init__(
        self,
        database: Database,
        *,
        most_waiting: int,
        retention: Retention = NO_END,
        committed: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self._retention = retention
        self._compact_at = time.monotonic() + COMPACT_SECONDS
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job[Any]] = deque()
        self._num_events = 0
        self._changing = threading.Condition()
        self._is_stopping = False
        self._session: Session | None = None
        self._thread = threading.Thread(target=self._run, name="feedback-writer", daemon=True)
        self._thread.start()

    async def write(self, events: Sequence[Event]) -> Outcome:
        """Store events; returns once they are on the disk.

        Raises:
            QueueFull: As much as may wait is waiting; at once.
            StoreError: They could not be stored.
        """
        return await self._do(_Job(events, None, self._loop.create_future()))

    async def do(self, work: Callable[[Session], T]) -> T:
        """Have something written by a transaction of its own; what it returns, once that is on the disk.

        Args:
            work: Writes, in the writer's thread.

        Raises:
            QueueFull, StoreError: As of `write`.
        """
        return await self._do(_Job((), work, self._loop.create_future()))

    def stop(self) -> None:
        """End the thread, after what waits is written, or at least a few seconds later."""
        with self._changing:
            self._is_stopping = True
            self._changing.notify()
        self._thread.join(_STOP_SECONDS)

    async def _do(self, job: _Job[T]) -> T:
        with self._changing:
            if self._is_stopping:
                raise QueueFull("the service is stopping; try another replica")
            if len(self._waiting) >= self._most_waiting or self._num_events >= MOST_EVENTS:
                raise QueueFull(
                    f"{len(self._waiting)} requests with {self._num_events} events wait to be stored, which "
                    "is as "
                    "much as may; try again shortly"
                )
            self._waiting.append(job)
            self._num_events += len(job.events)
            self._changing.notify()
        return await job.done

    def _run(self) -> None:
        while (jobs := self._take()) or not self._is_stopping:
            if jobs:
                self._finish(jobs)
            if time.monotonic() >= self._compact_at:
                self._compact()
        if self._session is not None:
            self._session.connection.close()

    def _take(self) -> list[_Job[Any]]:
        """What the next commit is for; empty at the end, and where it is time to compact."""
        with self._changing:
            while not self._waiting and not self._is_stopping:
                if not self._changing.wait(max(self._compact_at - time.monotonic(), 0)):
                    return []
            jobs: list[_Job[Any]] = []
            num_events = 0
            while self._waiting and (
                not jobs or num_events + len(self._waiting[0].events) <= EVENTS_PER_COMMIT
            ):
                if jobs and (self._waiting[0].work is not None or jobs[0].work is not None):
                    break
                job = self._waiting.popleft()
                num_events += len(job.events)
                jobs.append(job)
            self._num_events -= num_events
            return jobs

    def _finish(self, jobs: Sequence[_Job[Any]]) -> None:
        try:
            results: Sequence[object] = self._commit(jobs)
        except StoreError as error:
            self._drop_connection()
            results = [error] * len(jobs)
        except Exception as error:
            if len(jobs) > 1:  # the one that caused it gets it, and no other
                for job in jobs:
                    self._finish([job])
                return
            if not isinstance(error, MatineeError):
                logger.exception("feedback could not be stored, for a reason that was not foreseen")
            results = [error]
        # Nothing waits in a loop that is closed.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_resolve, jobs, results)

    def _commit(self, jobs: Sequence[_Job[Any]]) -> list[object]:
        session = self._session or self._open()
        started = time.perf_counter()
        with session.connection.transaction():
            if jobs[0].work is not None:
                results: list[object] = [jobs[0].work(session)]
            else:
                events = [event for job in jobs for event in job.events]
                changes = store.apply(session.connection, events, now=int(time.time()), key=session.key)
                results, start = [], 0
                for job in jobs:
                    end = start + len(job.events)
                    results.append(changes.outcome(slice(start, end)))
                    start = end
        self._committed(time.perf_counter() - started)
        return results

    def _compact(self) -> None:
        now = int(time.time())
        is_more = False
        try:
            session = self._session or self._open()
            is_more = compact(
                session.connection,
                event_ids_before=now - self._retention.event_ids_seconds,
                appended_before=now - self._retention.appended_seconds,
                most=ROWS_PER_COMPACTION,
            )
        except StoreError as error:
            logger.warning("old clicks and event ids are not deleted: %s", error)
            self._drop_connection()
        self._compact_at = time.monotonic() + (BETWEEN_SECONDS if is_more else COMPACT_SECONDS)

    def _open(self) -> Session:
        migrate(self._database)
        connection = self._database.connect()
        self._session = Session(connection, store.key_of(connection))
        return self._session

    def _drop_connection(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.connection.close()


def _resolve(jobs: Sequence[_Job[Any]], results: Sequence[object]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if job.done.done():  # its request timed out, or its client is gone
            continue
        if isinstance(result, StoreError):
            # A new object for each: raised ones collect tracebacks.
            job.done.set_exception(type(result)(*result.args))
        elif isinstance(result, Exception):
            job.done.set_exception(result)
        else:
            job.done.set_result(cast(Any, result))
