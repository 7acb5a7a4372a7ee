"""Two lanes for what needs the model: what takes long cannot hold up the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from service.batching.lane import Answers, Lane
from service.batching.pace import Pace
from service.recommending.candidate_search import LEVELS
from service.recommending.queries import Query, RecommendQuery
from service.recommending.recommender import Recommender
from service.settings import Settings
from service.telemetry.observer import Observer

LONG_BATCH_SIZE = 8
"""Requests that take long and are worked on together: each adds to what all of them wait."""


class Batcher:
    """Has queries answered, in batches with those of other requests. To be used from one event loop.

    Args:
        recommender: Gives the live bundle; may raise `BundleError`.
        settings: Bounds of batches, queues and times.
        observer: Is told of waits, batches and what was given up.
    """

    def __init__(
        self, recommender: Callable[[], Recommender], settings: Settings, observer: Observer
    ) -> None:
        self._quick, self._long = (
            Lane(
                name,
                recommender,
                observer,
                batch_size=batch_size,
                queue_size=settings.queue_size,
                timeout_seconds=settings.request_timeout_ms / 1000,
                pace=pace,
            )
            for name, batch_size, pace in (
                ("quick-lane", settings.batch_size, Pace()),
                ("long-lane", LONG_BATCH_SIZE, None),
            )
        )

    async def ask(self, queries: Sequence[Query], is_gone: Callable[[], Awaitable[bool]]) -> Answers:
        """See `Lane.ask`."""
        takes_long = len(queries) > 1 or _takes_long(queries[0])
        return await (self._long if takes_long else self._quick).ask(queries, is_gone)

    def stop(self) -> None:
        """Ends both threads, after the batches they work on."""
        self._quick.stop()
        self._long.stop()


def _takes_long(query: Query) -> bool:
    """Whether it costs as much as several ordinary ones: pools, explanations, long pages."""
    return isinstance(query, RecommendQuery) and (
        query.is_reordered or query.explain or query.depth > LEVELS[1][0]
    )
