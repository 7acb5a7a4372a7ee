"""Which lane a request takes, seen by the thread that answers it."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from service.batching.answering import EncodedAnswers
from service.batching.batcher import Batcher
from service.recommending.queries import Query, RatingQuery, RecommendQuery
from service.telemetry.observer import Observer

PLAIN = RecommendQuery(user_id="42")


def answer_by_thread(queries: Sequence[Query], _: Callable[[], bool]) -> EncodedAnswers:
    return EncodedAnswers("one", [threading.current_thread().name.encode() for _ in queries])


async def stays() -> bool:
    return False


def make_batcher(answer: Any) -> Batcher:
    return Batcher(answer, Observer(), batch_size=4, queue_size=8, timeout_seconds=10)


@pytest.mark.parametrize(
    ("queries", "lane"),
    [
        ([PLAIN], "quick"),
        ([RatingQuery(user_id="42", movie_id="m1")], "quick"),
        ([RecommendQuery(user_id="42", k=128)], "quick"),
        ([RecommendQuery(user_id="42", k=100, offset=29)], "long"),
        ([RecommendQuery(user_id="42", explain=True)], "long"),
        ([RecommendQuery(user_id="42", rank_by="rating")], "long"),
        ([RecommendQuery(user_id="42", diversity=0.1)], "long"),
        ([PLAIN, PLAIN], "long"),
    ],
)
def test_what_takes_long_has_a_lane_of_its_own(queries: list[Query], lane: str) -> None:
    async def run() -> list[Any]:
        batcher = make_batcher(answer_by_thread)
        answers = await batcher.ask(queries, stays)
        batcher.stop()
        return list(answers.encoded)

    for encoded in asyncio.run(run()):
        assert encoded.startswith(f"{lane}-lane".encode())


def test_a_long_request_does_not_delay_a_quick_one() -> None:
    may_end = threading.Event()

    def answer(queries: Sequence[Query], _: Callable[[], bool]) -> EncodedAnswers:
        if len(queries) > 1:
            assert may_end.wait(10)
        return EncodedAnswers("one", [b"" for _ in queries])

    async def run() -> None:
        batcher = make_batcher(answer)
        long = asyncio.create_task(batcher.ask([PLAIN, PLAIN], stays))
        await asyncio.sleep(0.02)
        await asyncio.wait_for(batcher.ask([PLAIN], stays), 5)
        assert not long.done()
        may_end.set()
        await long
        batcher.stop()

    asyncio.run(run())
