"""Client process of the load test: connections that send requests on a schedule."""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from ssl import SSLContext
from typing import Any

import httpx
from pydantic import ValidationError

from benchmarks.load.inventory import Inventory
from benchmarks.load.plan import Plan
from benchmarks.load.requests import mixed_requests
from benchmarks.load.samples import NEVER_SENT, OK, Samples
from matinee_client.answer_errors import AnswerError
from matinee_client.call import Call, key_header

PROGRESS_SECONDS = 0.5
_PROBE_SECONDS = 0.02

Tick = tuple[int, int, list[float]]
"""Progress since the last tick: requests, failed requests, latencies in ms."""


def run_process(plan: Plan, inventory: Inventory, number: int, link: Connection) -> None:
    """Run a client process.

    Sends None when ready, receives the start time (`time.monotonic`, shared by all processes of a machine),
    sends `Tick`s, and finally `Samples`.
    """
    ssl_context = httpx.create_ssl_context()  # slow, so once and not per connection
    # The only selector that sleeps for less than a millisecond, and so sends on time.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    link.send(None)
    client = _Client(plan, inventory, number, link, ssl_context, start=link.recv() + plan.warm_up_seconds)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(client.run())
    link.send(client.samples)


class _Client:
    def __init__(
        self,
        plan: Plan,
        inventory: Inventory,
        number: int,
        link: Connection,
        ssl_context: SSLContext,
        *,
        start: float,
    ) -> None:
        self.samples = Samples()
        self._plan = plan
        self._number = number
        self._requests = mixed_requests(inventory, plan.mix, f"{plan.seed} {number}")
        self._link = link
        self._ssl_context = ssl_context
        self._start, self._end = start, start + plan.seconds
        self._times = self._schedule()
        self._tick: Tick = (0, 0, [])

    async def run(self) -> None:
        """Send requests until the end; wait for the last answer."""
        background = [asyncio.ensure_future(each) for each in (self._probe(), self._report())]
        await asyncio.gather(*(self._connection() for _ in range(self._plan.connections_of(self._number))))
        for task in background:
            task.cancel()

    def _schedule(self) -> Iterator[float]:
        """Iterate over the due times of this process's requests; in a closed loop always now."""
        if self._plan.rate is None:
            while (now := time.monotonic()) < self._end:
                yield now
            return
        begin = self._start - self._plan.warm_up_seconds
        count = math.ceil((self._end - begin) * self._plan.rate)
        for place in range(self._number, count, self._plan.processes):
            yield begin + place / self._plan.rate

    async def _connection(self) -> None:
        # One client per connection: httpx's pool searches all its connections for each request.
        async with httpx.AsyncClient(
            base_url=self._plan.url,
            headers=key_header(self._plan.api_key),
            timeout=self._plan.timeout_seconds,
            verify=self._ssl_context,
        ) as http:
            for intended in self._times:
                wait_seconds = max(time.monotonic() - intended, 0)
                if not wait_seconds:
                    await self._sleep_until(intended)
                kind, call = next(self._requests)
                request = call.request(http)
                # The user of a request that is overdue by the timeout has given up.
                gave_up = wait_seconds > self._plan.timeout_seconds
                outcome = NEVER_SENT if gave_up else await _send(http, request, call)
                self._count(kind, outcome, intended, wait_seconds)

    async def _sleep_until(self, intended: float) -> None:
        await asyncio.sleep(intended - time.monotonic())
        self._note_lateness(intended)

    def _note_lateness(self, intended: float) -> None:
        now = time.monotonic()
        if self._start <= now < self._end:
            self.samples.late_ms.append(1000 * (now - intended))

    def _count(self, kind: int, outcome: str, intended: float, wait_seconds: float) -> None:
        latency_ms = 1000 * (time.monotonic() - intended)
        count, failed, latencies_ms = self._tick
        latencies_ms.append(latency_ms)
        self._tick = (count + 1, failed + (outcome != OK), latencies_ms)
        if self._start <= intended < self._end:
            self.samples.add(kind, outcome, intended - self._start, latency_ms, 1000 * wait_seconds)

    async def _probe(self) -> None:
        """Measure how late this process wakes, and its processor time."""
        await asyncio.sleep(max(self._start - time.monotonic(), 0))
        began, cpu_began = time.monotonic(), time.process_time()
        while (now := time.monotonic()) < self._end:
            await asyncio.sleep(_PROBE_SECONDS)
            self._note_lateness(now + _PROBE_SECONDS)
            self.samples.cpu_share = (time.process_time() - cpu_began) / (time.monotonic() - began)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._link.send(self._tick)
            self._tick = (0, 0, [])


async def _send(http: httpx.AsyncClient, request: httpx.Request, call: Call[Any]) -> str:
    """Send a request, parse the answer, and return the outcome."""
    try:
        call.read(await http.send(request))
    except AnswerError as error:
        return f"{error.status} {error.type.removeprefix('urn:matinee:')}"
    except ValidationError:
        return "malformed answer"
    except httpx.HTTPError as error:
        return type(error).__name__
    return OK
