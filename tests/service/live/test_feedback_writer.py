"""Group commit, the bounds of the queue, failures, and what is deleted with time."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.errors import QueueFull, StoreFull
from service.live import feedback_writer, store
from service.live.database import Database
from service.live.events import Event, Outcome
from service.live.feedback_writer import FeedbackWriter
from service.live.migration import migrate
from service.live.retention import Retention


@contextmanager
def writing_locked(database: Database) -> Iterator[None]:
    """No other writer gets its turn within the block."""
    connection = database.connect()
    with connection.transaction():
        yield
    connection.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def watch(user_id: str) -> list[Event]:
    return [Event(user_id, "m1", "watch", None, 5)]


@pytest.fixture
def database(any_database: Database) -> Database:
    migrate(any_database)
    return any_database


def test_what_waits_is_committed_together_and_each_gets_its_own_outcome(database: Database) -> None:
    commits: list[float] = []

    async def post() -> None:
        writer = FeedbackWriter(database, most_waiting=100, committed=commits.append)
        with writing_locked(database):
            first = asyncio.create_task(writer.write(watch("first")))
            await asyncio.sleep(0.2)
            others = [asyncio.create_task(writer.write(watch(f"u{place % 8}"))) for place in range(16)]
            await asyncio.sleep(0.2)
            assert not first.done()
        assert (await first).stored == 1
        outcomes = await asyncio.gather(*others)
        assert [each.stored for each in outcomes] == [1] * 8 + [0] * 8
        assert [each.unchanged for each in outcomes] == [0] * 8 + [1] * 8
        await asyncio.to_thread(writer.stop)

    run(post())
    assert len(commits) == 2


def test_too_many_that_wait_are_refused_at_once_and_the_others_are_stored(database: Database) -> None:
    async def post() -> None:
        writer = FeedbackWriter(database, most_waiting=3)
        with writing_locked(database):
            tasks = [asyncio.create_task(writer.write(watch(f"u{place}"))) for place in range(6)]
            await asyncio.sleep(0.3)
            refused = [task for task in tasks if task.done()]
            assert len(refused) in (2, 3)  # one may be with the writer already
            for task in refused:
                assert isinstance(task.exception(), QueueFull)
        stored = [await task for task in tasks if task not in refused]
        assert all(outcome.stored == 1 for outcome in stored)
        await asyncio.to_thread(writer.stop)

    run(post())


def test_one_that_fails_fails_alone(database: Database) -> None:
    class Odd(str):
        def encode(self, *_: object, **__: object) -> bytes:
            raise ValueError("odd")

    async def post() -> None:
        writer = FeedbackWriter(database, most_waiting=100)
        with writing_locked(database):
            first = asyncio.create_task(writer.write(watch("first")))
            await asyncio.sleep(0.1)
            good = asyncio.create_task(writer.write(watch("good")))
            bad = asyncio.create_task(writer.write([Event(Odd("bad"), "m1", "watch")]))
            await asyncio.sleep(0.1)
        assert (await first).stored == (await good).stored == 1
        with pytest.raises(ValueError, match="odd"):
            await bad
        await asyncio.to_thread(writer.stop)

    run(post())


def test_a_full_disk_refuses_and_the_next_try_is_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = store.apply
    failing = threading.Event()
    failing.set()

    def full(*arguments: Any, **named: Any) -> Any:
        if failing.is_set():
            raise StoreFull("the disk is full")
        return apply(*arguments, **named)

    monkeypatch.setattr(store, "apply", full)

    async def post() -> None:
        writer = FeedbackWriter(database, most_waiting=100)
        for _ in range(2):
            with pytest.raises(StoreFull):
                await writer.write(watch("ann"))
        failing.clear()
        assert (await writer.write(watch("ann"))).stored == 1
        await asyncio.to_thread(writer.stop)

    run(post())


def test_what_waits_at_the_end_is_stored(database: Database) -> None:
    async def post() -> Outcome:
        writer = FeedbackWriter(database, most_waiting=100)
        task = asyncio.create_task(writer.write(watch("ann")))
        await asyncio.sleep(0)
        await asyncio.to_thread(writer.stop)
        with pytest.raises(QueueFull):
            await writer.write(watch("bob"))
        return await task

    assert asyncio.run(post()).stored == 1


def test_old_clicks_and_event_ids_are_deleted_in_parts_and_ratings_stay(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_writer, "COMPACT_SECONDS", 0.05)
    monkeypatch.setattr(feedback_writer, "BETWEEN_SECONDS", 0.01)
    monkeypatch.setattr(feedback_writer, "ROWS_PER_COMPACTION", 10)
    now = int(time.time())

    async def post() -> None:
        writer = FeedbackWriter(database, most_waiting=100, retention=Retention(1_000, 500))
        await writer.write(
            [Event("ann", "m1", "click", None, now - 600, f"c{place}") for place in range(35)]
            + [Event("ann", "m1", "click", None, now - 400), Event("ann", "m1", "rating", 4, now - 9_000)]
        )
        for _ in range(100):
            kept = await asyncio.to_thread(kept_of_ann, database)
            if kept.counts == {"click": 1}:
                break
            await asyncio.sleep(0.05)
        assert (kept.counts, len(kept.states)) == ({"click": 1}, 1)
        await asyncio.to_thread(writer.stop)

    run(post())


def kept_of_ann(database: Database) -> store.Feedback:
    with database.borrow() as connection:
        return store.feedback_of(connection, "ann")
