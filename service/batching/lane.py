"""Queue concurrent requests and answer them in batches, so that they share model calls.

A lane always works on what was queued while it was busy: no request waits for others, and the busier the lane
the larger its batches. It has a thread, but a batch that will be quick (`service.batching.batch_timing`) is
answered on the event loop itself: handing it over and back costs more than a small batch takes, and two
threads that want one interpreter wait for each other.
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

from service.batching.answering import EncodedAnswers
from service.batching.batch_timing import BatchTiming
from service.errors import DeadlineExceeded, HungUp, QueueFull
from service.recommending.queries import Query
from service.telemetry.observer import Observer

LONG_WAIT_SECONDS = 0.02
"""Whether the client is still connected is checked only for a request that waited so long: it costs time."""
DISCONNECT_CHECK_SECONDS = 0.1
"""And again so often while a batch is worked on, so that explanations no client waits for are left out."""


Answer = Callable[[Sequence[Query], Callable[[], bool]], EncodedAnswers]
"""Answers a batch, and takes whether any client still waits for it; may raise. See `BatchAnswerer`."""


@dataclass(slots=True)
class _Job:
    queries: Sequence[Query]
    is_gone: Callable[[], Awaitable[bool]]
    done: asyncio.Future[EncodedAnswers]
    queued_at: float
    deadline: float
    context: Context


class Lane:
    """A bounded queue of requests and the task that answers them. To be used from one event loop.

    Args:
        name: Of its thread.
        answer: Answers a batch.
        observer: Receives waits and rejections.
        batch_size: Most queries of one batch; a request of more is a batch of its own.
        queue_size: Most requests that wait.
        timeout_seconds: How long a request may take from its arrival here.
        timing: Estimates which batches the event loop can answer itself; None leaves all to the thread.
    """

    def __init__(
        self,
        name: str,
        answer: Answer,
        observer: Observer,
        *,
        batch_size: int,
        queue_size: int,
        timeout_seconds: float,
        timing: BatchTiming | None = None,
    ) -> None:
        self._answer = answer
        self._timing = timing
        self._observer = observer
        self._batch_size = batch_size
        self._queue_size = queue_size
        self._timeout_seconds = timeout_seconds
        self._queue: deque[_Job] = deque()
        # In the order of their deadlines, which is that of their arrival: one timer serves all.
        self._unanswered: deque[_Job] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._working: asyncio.Task[None] | None = None

    async def ask(self, queries: Sequence[Query], is_gone: Callable[[], Awaitable[bool]]) -> EncodedAnswers:
        """Answers for the queries of one request, all by the same bundle.

        Args:
            queries: At least one.
            is_gone: Whether the client hung up.

        Raises:
            BundleError: No bundle is served.
            QueueFull: As many requests as may wait are waiting; at once.
            DeadlineExceeded: The timeout passed first; what was not begun is dropped.
            HungUp: The client is gone, and nothing was computed for it.
        """
        if len(self._queue) >= self._queue_size:
            self._observer.rejected("queue_full")
            raise QueueFull(
                f"{self._queue_size} requests are waiting, which is as many as may; try again shortly"
            )
        loop = asyncio.get_running_loop()
        now = loop.time()
        job = _Job(queries, is_gone, loop.create_future(), now, now + self._timeout_seconds, copy_context())
        self._queue.append(job)
        self._unanswered.append(job)
        if self._timer is None:
            self._timer = loop.call_at(job.deadline, self._expire, loop, context=Context())
        if self._working is None:
            # Not in the context of the request that happened to come first.
            self._working = loop.create_task(self._work(), context=Context())
        return await job.done

    def stop(self) -> None:
        """Ends the thread, after the batch it works on."""
        self._thread.shutdown(cancel_futures=True)

    async def _work(self) -> None:
        """Answer batches until the queue is empty."""
        try:
            while self._queue:
                # Yield once so that requests of the same tick join this batch.
                await asyncio.sleep(0)
                if jobs := await self._gather():
                    await self._answer_jobs(jobs)
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

    async def _answer_jobs(self, jobs: Sequence[_Job]) -> None:
        try:
            queries = [query for job in jobs for query in job.queries]

            def is_wanted() -> bool:
                return any(not job.done.done() for job in jobs)

            context = self._observer.choose([job.context for job in jobs])
            work = partial(self._timed, queries, is_wanted)
            if self._timing is not None and self._timing.is_quick(len(queries)):
                answers = context.run(work)
            else:
                working = asyncio.get_running_loop().run_in_executor(self._thread, context.run, work)
                while not (await asyncio.wait((working,), timeout=DISCONNECT_CHECK_SECONDS))[0]:
                    await self._drop_gone(jobs)
                answers = working.result()
        except Exception as error:  # noqa: BLE001 the request that caused it gets it, and no other
            if len(jobs) == 1:
                _fail(jobs[0], error)
            else:
                for job in jobs:
                    await self._answer_jobs([job])
            return
        start = 0
        for job in jobs:
            end = start + len(job.queries)
            if not job.done.done():
                job.done.set_result(EncodedAnswers(answers.bundle_id, answers.encoded[start:end]))
            start = end
        self._forget_answered()

    def _timed(self, queries: Sequence[Query], is_wanted: Callable[[], bool]) -> EncodedAnswers:
        started = perf_counter()
        answers = self._answer(queries, is_wanted)
        if len(answers.encoded) != len(queries):
            raise RuntimeError(f"expected {len(queries)} answers, got {len(answers.encoded)}")
        if self._timing is not None:
            self._timing.add(len(queries), perf_counter() - started)
        return answers

    async def _drop_gone(self, jobs: Sequence[_Job]) -> None:
        for job in jobs:
            if not job.done.done() and await job.is_gone():
                self._observer.rejected("hung_up")
                _fail(job, HungUp("the client hung up"))

    def _forget_answered(self) -> None:
        """Drop the jobs that came first, up to one that still waits."""
        while self._unanswered and self._unanswered[0].done.done():
            self._unanswered.popleft()

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """End what is past its deadline, and wait for the next deadline there is."""
        self._timer = None
        now = loop.time()
        self._forget_answered()
        while self._unanswered and self._unanswered[0].deadline <= now:
            job = self._unanswered.popleft()
            self._observer.rejected("deadline")
            _fail(
                job,
                DeadlineExceeded(
                    f"no answer within {self._timeout_seconds * 1000:g} ms; ask for less, or again when the "
                    "service is less busy"
                ),
            )
            self._forget_answered()
        if self._unanswered:
            self._timer = loop.call_at(self._unanswered[0].deadline, self._expire, loop, context=Context())


def _fail(job: _Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
