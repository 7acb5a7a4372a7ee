"""A lane by itself, in an event loop of the test, with an answerer that waits until the test lets it end."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from service.batching import lane as lane_module
from service.batching.answering import EncodedAnswers
from service.batching.batch_timing import BatchTiming
from service.batching.lane import Lane
from service.errors import DeadlineExceeded, HungUp, NoBundle, QueueFull
from service.recommending.queries import Query, RecommendQuery
from service.telemetry.observer import Observer


class Counter(Observer):
    def __init__(self) -> None:
        self.rejections: list[str] = []
        self.waits: list[float] = []

    def rejected(self, reason: str) -> None:
        self.rejections.append(reason)

    def queue_wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class Kitchen:
    """Stands in for the model: notes each batch, and works on it until `may_end`."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def answer(self, queries: Sequence[Query], is_wanted: Callable[[], bool]) -> EncodedAnswers:
        self.is_wanted = is_wanted
        names = [str(query.user_id) for query in queries]
        self.batches.append(names)
        assert self.may_end.wait(10)
        if "poison" in names:
            raise ZeroDivisionError
        if "cut" in names:
            names.pop()
        return EncodedAnswers("one", [f"one for {name}".encode() for name in names])


@pytest.fixture
def kitchen() -> Kitchen:
    return Kitchen()


async def stays() -> bool:
    return False


async def has_left() -> bool:
    return True


def make_lane(kitchen: Kitchen, **changes: Any) -> Lane:
    fields: dict[str, Any] = {"batch_size": 4, "queue_size": 8, "timeout_seconds": 5}
    return Lane("test", kitchen.answer, changes.pop("observer", Observer()), **fields | changes)


def ask(
    lane: Lane, *names: str, is_gone: Callable[[], Awaitable[bool]] = stays
) -> asyncio.Task[EncodedAnswers]:
    return asyncio.create_task(lane.ask([RecommendQuery(user_id=name) for name in names], is_gone))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def test_requests_of_one_moment_share_a_batch_up_to_its_bound(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        answers = await asyncio.gather(*(ask(lane, str(number)) for number in range(6)))
        assert [answer.encoded for answer in answers] == [
            [f"one for {number}".encode()] for number in range(6)
        ]
        assert kitchen.batches == [["0", "1", "2", "3"], ["4", "5"]]
        lane.stop()

    asyncio.run(run())


def test_what_gathers_while_a_batch_is_worked_on_is_the_next_one(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        kitchen.may_end.clear()
        first = ask(lane, "a")
        await until(lambda: kitchen.batches == [["a"]])
        others = [ask(lane, "b"), ask(lane, "c")]
        await asyncio.sleep(0.02)
        assert kitchen.batches == [["a"]]
        kitchen.may_end.set()
        await asyncio.gather(first, *others)
        assert kitchen.batches == [["a"], ["b", "c"]]
        lane.stop()

    asyncio.run(run())


def test_a_request_of_many_queries_gets_all_its_answers_in_order(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        many, single = await asyncio.gather(ask(lane, *"abcdef"), ask(lane, "g"))
        assert many == EncodedAnswers("one", [f"one for {name}".encode() for name in "abcdef"])
        assert single.encoded == [b"one for g"]
        lane.stop()

    asyncio.run(run())


def test_answers_that_are_fewer_than_the_queries_reach_no_client(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        with pytest.raises(RuntimeError, match="expected 2 answers, got 1"):
            await ask(lane, "a", "cut")
        lane.stop()

    asyncio.run(run())


def test_a_quick_batch_is_answered_on_the_event_loop_and_its_answers_go_to_their_requests(
    kitchen: Kitchen,
) -> None:
    threads: list[int] = []

    def answer(queries: Sequence[Query], is_wanted: Callable[[], bool]) -> EncodedAnswers:
        threads.append(threading.get_ident())
        return kitchen.answer(queries, is_wanted)

    async def run() -> None:
        timing = BatchTiming()
        for _ in range(10):
            timing.add(1, 0.0001)
        fields: dict[str, Any] = {"batch_size": 64, "queue_size": 64, "timeout_seconds": 5}
        lane = Lane("test", answer, Observer(), timing=timing, **fields)
        answers = await asyncio.gather(*(ask(lane, str(number)) for number in range(32)))
        assert [each.encoded for each in answers] == [[f"one for {number}".encode()] for number in range(32)]
        assert threads == [threading.get_ident()]
        lane.stop()

    asyncio.run(run())


def test_past_the_queues_bound_a_request_is_refused_at_once(kitchen: Kitchen) -> None:
    async def run() -> None:
        counter = Counter()
        lane = make_lane(kitchen, queue_size=3, observer=counter)
        kitchen.may_end.clear()
        first = ask(lane, "a")
        await until(lambda: kitchen.batches == [["a"]])
        waiting = [ask(lane, str(number)) for number in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="3 requests are waiting"):
            await asyncio.wait_for(ask(lane, "one too many"), 0.2)
        kitchen.may_end.set()
        await asyncio.gather(first, *waiting)
        assert counter.rejections == ["queue_full"]
        assert len(counter.waits) == 4
        lane.stop()

    asyncio.run(run())


def test_past_its_deadline_a_request_ends_and_is_not_worked_on(kitchen: Kitchen) -> None:
    async def run() -> None:
        counter = Counter()
        lane = make_lane(kitchen, timeout_seconds=0.05, observer=counter)
        kitchen.may_end.clear()
        begun = ask(lane, "begun")
        await until(lambda: kitchen.batches == [["begun"]])
        waiting = ask(lane, "waiting")
        for request in (begun, waiting):
            with pytest.raises(DeadlineExceeded, match="within 50 ms"):
                await request
        kitchen.may_end.set()
        assert (await ask(lane, "later")).encoded == [b"one for later"]
        assert kitchen.batches == [["begun"], ["later"]]
        assert counter.rejections == ["deadline", "deadline"]
        lane.stop()

    asyncio.run(run())


def test_a_client_that_hung_up_while_it_waited_costs_nothing_further(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "LONG_WAIT_SECONDS", 0.01)

    async def run() -> None:
        counter = Counter()
        lane = make_lane(kitchen, observer=counter)
        kitchen.may_end.clear()
        first = ask(lane, "a")
        await until(lambda: kitchen.batches == [["a"]])
        gone, there = ask(lane, "gone", is_gone=has_left), ask(lane, "there")
        await asyncio.sleep(0.05)
        kitchen.may_end.set()
        with pytest.raises(HungUp):
            await gone
        await asyncio.gather(first, there)
        assert kitchen.batches == [["a"], ["there"]]
        assert counter.rejections == ["hung_up"]
        lane.stop()

    asyncio.run(run())


def test_a_client_that_hangs_up_while_it_is_worked_for_is_wanted_no_more(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "DISCONNECT_CHECK_SECONDS", 0.01)

    async def run() -> None:
        counter = Counter()
        lane = make_lane(kitchen, observer=counter)
        kitchen.may_end.clear()
        gone, there = ask(lane, "gone", is_gone=has_left), ask(lane, "there")
        with pytest.raises(HungUp):
            await asyncio.wait_for(gone, 5)
        assert kitchen.is_wanted()
        there.cancel()
        await until(lambda: not kitchen.is_wanted())
        kitchen.may_end.set()
        assert counter.rejections == ["hung_up"]
        lane.stop()

    asyncio.run(run())


def test_a_request_that_is_cancelled_is_not_worked_on(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        kitchen.may_end.clear()
        first = ask(lane, "a")
        await until(lambda: kitchen.batches == [["a"]])
        cancelled = ask(lane, "b")
        await asyncio.sleep(0)
        cancelled.cancel()
        kitchen.may_end.set()
        await first
        assert (await ask(lane, "c")).encoded == [b"one for c"]
        assert kitchen.batches == [["a"], ["c"]]
        lane.stop()

    asyncio.run(run())


def test_a_request_that_makes_the_model_fail_fails_alone(kitchen: Kitchen) -> None:
    async def run() -> None:
        lane = make_lane(kitchen)
        answers = await asyncio.gather(
            *(ask(lane, name) for name in ("a", "poison", "b")), return_exceptions=True
        )
        assert isinstance(answers[1], ZeroDivisionError)
        assert [cast("EncodedAnswers", answers[place]).encoded for place in (0, 2)] == [
            [b"one for a"],
            [b"one for b"],
        ]
        lane.stop()

    asyncio.run(run())


def test_an_error_of_the_answerer_reaches_the_client() -> None:
    def none(queries: Sequence[Query], is_wanted: Callable[[], bool]) -> EncodedAnswers:
        del queries, is_wanted
        raise NoBundle("nothing here")

    async def run() -> None:
        lane = Lane("test", none, Observer(), batch_size=4, queue_size=8, timeout_seconds=5)
        with pytest.raises(NoBundle):
            await ask(lane, "a")
        lane.stop()

    asyncio.run(run())
