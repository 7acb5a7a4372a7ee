from threading import Event

import anyio
import pytest

from service.batching.catalogue_threads import CatalogueThreads
from service.errors import DeadlineExceeded, QueueFull
from service.telemetry.observer import Observer, Rejection


class Rejections(Observer):
    def __init__(self) -> None:
        self.reasons: list[Rejection] = []

    def rejected(self, reason: Rejection) -> None:
        self.reasons.append(reason)


def test_work_is_done_beside_the_event_loop_and_its_errors_come_through() -> None:
    async def run() -> None:
        threads = CatalogueThreads(Observer(), threads=2, queue_size=10, timeout_seconds=5)
        assert await threads.run(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)

    anyio.run(run)


def test_past_the_bound_a_request_is_refused_at_once_and_one_that_waits_too_long_is_dropped() -> None:
    observer, may_end = Rejections(), Event()
    done: list[object] = []

    async def run() -> None:
        threads = CatalogueThreads(observer, threads=1, queue_size=1, timeout_seconds=0.2)

        async def take_long() -> None:
            done.append(await threads.run(lambda: may_end.wait(20)))

        async def wait_in_vain() -> None:
            with pytest.raises(DeadlineExceeded, match="200 ms"):
                await threads.run(lambda: done.append("dropped"))
            may_end.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take_long)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(wait_in_vain)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(QueueFull, match="1 requests are waiting"):
                await threads.run(lambda: done.append("refused"))
        done.append(await threads.run(lambda: "again"))

    anyio.run(run)
    assert done == [True, "again"]
    assert observer.reasons == ["queue_full", "deadline"]
