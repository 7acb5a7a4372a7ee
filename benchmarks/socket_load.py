"""Load generator on sockets, for rates that an HTTP client library cannot reach.

A subprocess sends prepared requests over persistent connections. In an open loop requests are due at fixed
times, regardless of earlier answers, and a latency counts from when its request was due: otherwise a stall
would delay the requests that should measure it (coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvloop


@dataclass(frozen=True)
class Sample:
    """A measured request.

    Attributes:
        due: When it was due, as `time.monotonic()`, which all processes of a machine share.
        seconds: From then to the last byte of the answer.
        status: HTTP status; 0 without an answer.
    """

    due: float
    seconds: float
    status: int


class Load:
    """Load on one port, generated in a subprocess.

    Args:
        port: Port on 127.0.0.1.
        bodies: JSON bodies, sent in turn.
        connections: Number of persistent connections.
        per_second: Rate of the open loop; None for a closed loop without pauses.
        path: Path of the POST requests.
    """

    def __init__(
        self,
        port: int,
        bodies: Sequence[object],
        *,
        connections: int,
        per_second: float | None = None,
        path: str = "/recommend",
    ) -> None:
        requests = [_request(path, body) for body in bodies]
        processes = multiprocessing.get_context("spawn")
        self._pipe, theirs = processes.Pipe()
        self._process = processes.Process(
            target=_run, args=(theirs, port, requests, connections, per_second), daemon=True
        )
        self._process.start()
        self._pipe.recv()  # the subprocess is ready

    def stop(self) -> list[Sample]:
        """Stop the load; return the samples in the order of the answers."""
        self._pipe.send(None)
        samples: list[Sample] = self._pipe.recv()
        self._process.join()
        return samples


def percentile(samples: Sequence[Sample], share: float) -> float:
    """Return the seconds within which this share of the requests was answered."""
    ordered = sorted(each.seconds for each in samples)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _request(path: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def _run(
    pipe: Connection, port: int, requests: Sequence[bytes], connections: int, per_second: float | None
) -> None:
    uvloop.run(_Loop(port, requests, per_second).run(pipe, connections))


class _Loop:
    def __init__(self, port: int, requests: Sequence[bytes], per_second: float | None) -> None:
        self._port = port
        self._requests = requests
        self._per_second = per_second
        self._due: deque[float] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._samples: list[Sample] = []
        self._ended = False

    async def run(self, pipe: Connection, connections: int) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.add_reader(pipe.fileno(), stop.set)
        pipe.send(None)
        tasks = [asyncio.create_task(self._connection(number)) for number in range(connections)]
        if self._per_second is not None:
            tasks.append(asyncio.create_task(self._schedule(self._per_second)))
        await stop.wait()
        self._ended = True
        for waiting in self._idle:
            if not waiting.done():
                waiting.set_result(None)
        await asyncio.wait(tasks, timeout=30)
        loop.remove_reader(pipe.fileno())
        os.set_blocking(pipe.fileno(), True)  # the event loop made it non-blocking
        pipe.send(self._samples)

    async def _schedule(self, per_second: float) -> None:
        started, count = time.monotonic(), 0
        while not self._ended:
            now = time.monotonic()
            while (due := started + count / per_second) <= now:
                self._due.append(due)
                count += 1
                if self._idle and not (idle := self._idle.popleft()).done():
                    idle.set_result(None)
            await asyncio.sleep(due - now)

    async def _next_due(self) -> float:
        if self._per_second is None:
            return time.monotonic()
        while not self._due and not self._ended:
            self._idle.append(asyncio.get_running_loop().create_future())
            await self._idle[-1]
        return self._due.popleft() if self._due else 0.0

    async def _connection(self, number: int) -> None:
        count, streams = number, None
        while (due := await self._next_due()) and not self._ended:
            count += 1
            try:
                if streams is None or streams[0].at_eof():  # a server closes idle connections
                    streams = await asyncio.open_connection("127.0.0.1", self._port)
                request = self._requests[count * 7919 % len(self._requests)]
                status, stays_open = await _exchange(*streams, request)
                if not stays_open:
                    streams[1].close()
                    streams = None
            except (OSError, asyncio.IncompleteReadError):
                streams, status = None, 0
            self._samples.append(Sample(due, time.monotonic() - due, status))
        if streams is not None:
            streams[1].close()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bool]:
    """The status of the answer, and whether the connection may be used again."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
    await reader.readexactly(int(length))
    return int(head[9:12]), b"\r\nconnection: close\r\n" not in head
