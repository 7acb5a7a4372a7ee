"""Gathers concurrent requests, so that they share model calls.

A lane always works on what gathered while it was busy: nothing waits for company, and the busier it is the
larger its batches. It has a thread, but a batch that will be quick (`service.batching.pace`) is answered on
the event loop itself: to hand it over and back costs more than a small batch takes, and two threads that want
one interpreter wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from service.batching.answering import Encoded, answer_queries
from service.batching.pace import Pace
from service.errors import DeadlineExceeded, HungUp, QueueFull
from service.recommending.queries import Query
from service.recommending.recommender import Recommender
from service.telemetry.observer import Observer

LONG_WAIT_SECONDS = 0.02
"""Whether a client is still there is asked only for a request that waited so long: asking costs time too."""
LOOK_SECONDS = 0.1
"""And again so often while a batch is worked on, so that explanations for nobody are left out."""


@dataclass(frozen=True)
class Answers:
    """What came back for one request of one or many queries.

    Attributes:
        bundle_id: Of the bundle that made all of them.
        encoded: By query its JSON, or why there is none.
    """

    bundle_id: str
    encoded: list[Encoded]


@dataclass(frozen=True)
class _Job:
    queries: Sequence[Query]
    is_gone: Callable[[], Awaitable[bool]]
    done: asyncio.Future[Answers]
    queued_at: float
    deadline: float
    context: Context


class Lane:
    """One queue, and whoever works it off. To be used from one event loop.

    Args:
        name: Of its thread.
        recommender: Gives the live bundle, asked once a batch; may raise `BundleError`.
        observer: Is told of waits, batches and what was given up.
        batch_size: Most queries of one batch; a request of more is a batch of its own.
        queue_size: Most requests that wait.
        timeout_seconds: How long a request may take from its arrival here.
        pace: Says which batches the event loop answers itself; None leaves all to the thread.
    """

    def __init__(
        self,
        name: str,
        recommender: Callable[[], Recommender],
        observer: Observer,
        *,
        batch_size: int,
        queue_size: int,
        timeout_seconds: float,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace
        self._recommender = recommender
        self._observer = observer
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._timeout_seconds = timeout_seconds
        self._queue: deque[_Job] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._working: asyncio.Task[None] | None = None

    async def ask(self, queries: Sequence[Query], is_gone: Callable[[], Awaitable[bool]]) -> Answers:
        """Answers for the queries of one request, all by the same bundle.

        Args:
            queries: At least one.
            is_gone: Whether the client hung up.

        Raises:
            BundleError: No bundle is live.
            QueueFull: As many requests as may wait are waiting; at once.
            DeadlineExceeded: The timeout passed first; what was not begun is dropped.
            HungUp: The client is gone, and nothing was computed for it.
        """
        self._recommender()  # or there is nothing to wait for
        if len(self._queue) >= self._queue_size:
            self._observer.rejected("queue_full")
            raise QueueFull(
                f"{self._queue_size} requests are waiting, which is as many as may; try again shortly"
            )
        loop = asyncio.get_running_loop()
        now = loop.time()
        job = _Job(queries, is_gone, loop.create_future(), now, now + self._timeout_seconds, copy_context())
        self._queue.append(job)
        if self._working is None:
            # Not in the context of whoever happened to come first.
            self._working = loop.create_task(self._work(), context=Context())
        timer = loop.call_at(job.deadline, self._expire, job)
        try:
            return await job.done
        finally:
            timer.cancel()

    def stop(self) -> None:
        """Ends the thread, after the batch it works on."""
        self._thread.shutdown(cancel_futures=True)

    async def _work(self) -> None:
        """Until nothing waits: takes what gathered, has it answered, hands out the answers."""
        try:
            while self._queue:
                # Whoever asks in this turn of the event loop still comes along.
                await asyncio.sleep(0)
                if jobs := await self._gather():
                    await self._answer(jobs)
        finally:
            self._working = None

    async def _gather(self) -> list[_Job]:
        now = asyncio.get_running_loop().time()
        jobs: list[_Job] = []
        num_queries = 0
        while self._queue and (not jobs or num_queries + len(self._queue[0].queries) <= self._batch_size):
            job = self._queue.popleft()
            if job.done.done():
                continue
            if now - job.queued_at > LONG_WAIT_SECONDS:
                await self._drop_gone([job])
                if job.done.done():
                    continue
            job.context.run(self._observer.queue_wait, now - job.queued_at)
            num_queries += len(job.queries)
            jobs.append(job)
        return jobs

    async def _answer(self, jobs: Sequence[_Job]) -> None:
        try:
            recommender = self._recommender()
            queries = [query for job in jobs for query in job.queries]

            def is_wanted() -> bool:
                return any(not job.done.done() for job in jobs)

            context = self._observer.choose([job.context for job in jobs])
            work = partial(self._timed, recommender, queries, is_wanted)
            if self._pace is not None and self._pace.is_quick(len(queries)):
                encoded = context.run(work)
            else:
                working = asyncio.get_running_loop().run_in_executor(self._thread, context.run, work)
                while not (await asyncio.wait((working,), timeout=LOOK_SECONDS))[0]:
                    await self._drop_gone(jobs)
                encoded = working.result()
        except Exception as error:  # noqa: BLE001 whatever it is, whoever caused it is told, and nobody else
            if len(jobs) == 1:
                _fail(jobs[0], error)
            else:
                for job in jobs:
                    await self._answer([job])
            return
        start = 0
        for job in jobs:
            end = start + len(job.queries)
            if not job.done.done():
                job.done.set_result(Answers(recommender.bundle_id, encoded[start:end]))
            start = end

    def _timed(
        self, recommender: Recommender, queries: Sequence[Query], is_wanted: Callable[[], bool]
    ) -> list[Encoded]:
        started = perf_counter()
        encoded = answer_queries(recommender, queries, self._observer, is_wanted)
        if self._pace is not None:
            self._pace.took(recommender.bundle_id, len(queries), perf_counter() - started)
        return encoded

    async def _drop_gone(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            if not job.done.done() and await job.is_gone():
                self._observer.rejected("hung_up")
                _fail(job, HungUp("the client hung up"))

    def _expire(self, job: _Job) -> None:
        if job.done.done():
            return
        self._observer.rejected("deadline")
        _fail(
            job,
            DeadlineExceeded(
                f"no answer within {self._timeout_seconds * 1000:g} ms; ask for less, or again when the "
                "service is less busy"
            ),
        )


def _fail(job: _Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
