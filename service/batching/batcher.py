"""Route queries to three lanes, so that those that take long do not delay the others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from service.batching.answering import EncodedAnswers
from service.batching.batch_timing import BatchTiming
from service.batching.lane import Answer, Lane
from service.recommending.candidate_search import LEVELS
from service.recommending.queries import Query, RecommendQuery
from service.telemetry.observer import Observer

LONG_BATCH_SIZE = 8
"""Long-running requests in one batch: each adds to what all of them wait."""


class Batcher:
    """Answers the queries of a request, in batches with those of others. To be used from one event loop.

    Args:
        answer: Answers a batch.
        observer: Receives waits and rejections.
        batch_size: Most queries of one batch, but of the long lane; a request of more is a batch of its own.
        queue_size: Most requests that wait in each lane.
        timeout_seconds: How long a request may take.
    """

    def __init__(
        self,
        answer: Answer,
        observer: Observer,
        *,
        batch_size: int,
        queue_size: int,
        timeout_seconds: float,
    ) -> None:
        self._quick, self._many, self._long = self._lanes = [
            Lane(
                name,
                answer,
                observer,
                batch_size=size,
                queue_size=queue_size,
                timeout_seconds=timeout_seconds,
                timing=timing,
            )
            for name, size, timing in (
                ("quick-lane", batch_size, BatchTiming()),
                ("many-lane", batch_size, BatchTiming()),
                ("long-lane", LONG_BATCH_SIZE, None),
            )
        ]

    async def ask(self, queries: Sequence[Query], is_gone: Callable[[], Awaitable[bool]]) -> EncodedAnswers:
        """Answer the queries of one request, see `Lane.ask`."""
        if any(map(_takes_long, queries)):
            lane = self._long
        else:
            lane = self._many if len(queries) > 1 else self._quick
        return await lane.ask(queries, is_gone)

    def stop(self) -> None:
        """End the threads, after the batches they work on."""
        for lane in self._lanes:
            lane.stop()


def _takes_long(query: Query) -> bool:
    """Whether it costs as much as several ordinary ones: other orders, exploration, reasons, long pages."""
    return isinstance(query, RecommendQuery) and (
        query.is_reordered or query.explain or query.depth > LEVELS[1][0] or bool(query.explore)
    )
