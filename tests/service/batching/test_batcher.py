"""Which lane answers which request, by the name of the thread that does."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from service.batching.answering import EncodedAnswers
from service.batching.batcher import LONG_BATCH_SIZE, Batcher
from service.errors import DeadlineExceeded, QueueFull
from service.recommending.queries import Query, RatingQuery, RecommendQuery
from service.telemetry.observer import Observer

QUICK, LONG = RecommendQuery(user_id="a"), RecommendQuery(user_id="a", rank_by="rating")


class Threads:
    """Answers every query with nothing, and notes the thread and the size of each batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, int]] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def answer(self, queries: Sequence[Query], is_wanted: Callable[[], bool]) -> EncodedAnswers:
        del is_wanted
        assert self.may_end.wait(10)
        self.batches.append((threading.current_thread().name.partition("_")[0], len(queries)))
        return EncodedAnswers("one", [b""] * len(queries))


def make_batcher(threads: Threads, **changes: Any) -> Batcher:
    fields: dict[str, Any] = {"batch_size": 16, "queue_size": 40, "timeout_seconds": 5}
    return Batcher(threads.answer, Observer(), **fields | changes)


async def stays() -> bool:
    return False


@pytest.mark.parametrize(
    ("queries", "lane"),
    [
        ([QUICK], "quick-lane"),
        ([RatingQuery(user_id="a", movie_id="m")], "quick-lane"),
        ([RecommendQuery(user_id="a", k=128)], "quick-lane"),
        ([RecommendQuery(user_id="a", k=128, offset=1)], "long-lane"),
        ([RecommendQuery(user_id="a", explain=True)], "long-lane"),
        ([RecommendQuery(user_id="a", diversity=0.5)], "long-lane"),
        ([RecommendQuery(user_id="a", explore=0.1)], "long-lane"),
        ([RecommendQuery(user_id="a", explore=0)], "quick-lane"),
        ([LONG], "long-lane"),
        ([QUICK, QUICK], "many-lane"),
        ([QUICK, LONG], "long-lane"),
    ],
)
def test_what_takes_as_long_as_several_has_a_lane_of_its_own(queries: list[Query], lane: str) -> None:
    async def run() -> None:
        threads = Threads()
        batcher = make_batcher(threads)
        await batcher.ask(queries, stays)
        batcher.stop()
        assert threads.batches == [(lane, len(queries))]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("query", "lane", "size"), [(QUICK, "quick-lane", 16), (LONG, "long-lane", LONG_BATCH_SIZE)]
)
def test_each_lane_has_batches_of_its_own_size(query: Query, lane: str, size: int) -> None:
    async def run() -> None:
        threads = Threads()
        batcher = make_batcher(threads)
        await asyncio.gather(*(batcher.ask([query], stays) for _ in range(32)))
        batcher.stop()
        assert threads.batches == [(lane, size)] * (32 // size)

    asyncio.run(run())


def test_all_lanes_but_the_long_one_answer_on_the_event_loop_once_batches_proved_quick() -> None:
    async def run() -> None:
        threads = Threads()
        batcher = make_batcher(threads)
        for queries in [[QUICK]] * 20 + [[QUICK] * 32] * 20 + [[LONG]] * 20 + [[QUICK, LONG]] * 20:
            await batcher.ask(queries, stays)
        batcher.stop()
        here = threading.current_thread().name
        assert (threads.batches[19], threads.batches[39]) == ((here, 1), (here, 32))
        assert threads.batches[40:] == [("long-lane", 1)] * 20 + [("long-lane", 2)] * 20

    asyncio.run(run())


@pytest.mark.parametrize("query", [QUICK, LONG])
def test_each_lane_has_the_bound_and_the_timeout(query: Query) -> None:
    async def run() -> None:
        threads = Threads()
        threads.may_end.clear()
        batcher = make_batcher(threads, queue_size=1, timeout_seconds=0.05)
        first = asyncio.create_task(batcher.ask([query], stays))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(batcher.ask([query], stays))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await batcher.ask([query], stays)
        for request in (first, second):
            with pytest.raises(DeadlineExceeded, match="within 50 ms"):
                await request
        threads.may_end.set()
        batcher.stop()

    asyncio.run(run())


def test_a_stopped_batcher_answers_nothing() -> None:
    async def run() -> None:
        batcher = make_batcher(Threads())
        batcher.stop()
        for queries in ([QUICK], [QUICK, QUICK], [LONG]):
            with pytest.raises(RuntimeError, match="after shutdown"):
                await batcher.ask(queries, stays)

    asyncio.run(run())


def test_a_long_request_does_not_delay_a_quick_one() -> None:
    may_end = threading.Event()

    def answer(queries: Sequence[Query], _: Callable[[], bool]) -> EncodedAnswers:
        if len(queries) > 1:
            assert may_end.wait(10)
        return EncodedAnswers("one", [b"" for _ in queries])

    async def run() -> None:
        batcher = Batcher(answer, Observer(), batch_size=4, queue_size=8, timeout_seconds=10)
        long = asyncio.create_task(batcher.ask([QUICK, QUICK], stays))
        await asyncio.sleep(0.02)
        await asyncio.wait_for(batcher.ask([QUICK], stays), 5)
        assert not long.done()
        may_end.set()
        await long
        batcher.stop()

    asyncio.run(run())
