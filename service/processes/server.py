"""Run one worker: a uvicorn server with one bundle, from its start to its exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import cast

import uvicorn

from service.app import create_app
from service.loading import load_recommender
from service.processes.connections import Connections
from service.processes.listening import BACKLOG
from service.processes.messages import MessageSocket
from service.processes.open_files import allow_connections
from service.processes.worker_channel import WorkerChannel
from service.processes.worker_process import WorkerStart
from service.recommending.recommender import Recommender
from service.served_bundle import ServedBundle
from service.settings import Settings, split_networks
from service.telemetry.logs import Log
from service.telemetry.metrics import Telemetry
from service.telemetry.tracing import TracedTelemetry, Tracing

logger = logging.getLogger(__name__)

DRAIN_SHARE, END_SHARE = 0.8, 0.95
"""Of `shutdown_seconds`: until then requests in flight may finish; until then the process has ended."""

KEEP_ALIVE_SECONDS = 5
"""How long a connection may be idle; a worker that retires waits a little longer for each to come back."""

RETIRE_SECONDS = KEEP_ALIVE_SECONDS + 1.0
"""How long a worker that was replaced waits for its connections to ask once more."""


def serve(
    settings: Settings,
    start: WorkerStart,
    listener: socket.socket,
    messages: MessageSocket,
    *,
    flush_metrics: Callable[[], None],
) -> None:
    """Serve until the supervisor ends this process or has replaced it.

    Args:
        settings: Of the service.
        start: The bundle to serve, and when to accept connections.
        listener: A bound socket.
        messages: The channel to the supervisor.
        flush_metrics: Makes what this process counted visible to all; called ten times a second.
    """
    tracing = None if settings.tracing == "off" else Tracing()
    telemetry = (
        Telemetry(start.number, flush=flush_metrics)
        if tracing is None
        else TracedTelemetry(start.number, tracing, flush=flush_metrics)
    )
    log = Log(
        settings.log_level,
        settings.log_format,
        worker=start.number,
        dropped=telemetry.lines_dropped,
        has_probes=settings.log_probes,
    )
    channel = WorkerChannel(messages, start.refusal)
    served = ServedBundle(
        partial(_load, start, settings),
        yields=not start.accepts_at_once and _may_yield(settings),
    )
    app = create_app(
        settings, served=served, supervision=channel, telemetry=telemetry, log=log, tracing=tracing
    )
    allow_connections(settings.max_connections)
    connections = Connections(
        telemetry, most=settings.max_connections, receive_seconds=settings.receive_seconds
    )
    server = _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=cast(type[asyncio.Protocol], connections.protocol),  # which is called, and nothing else
            ws="none",
            lifespan="on",
            log_config=None,
            log_level="warning",  # what it says of starts and stops, the supervisor says better
            access_log=False,
            server_header=False,
            # Of no other peer: a client could forge any address, and guess keys under each.
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=split_networks(settings.trusted_proxies),
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, int(DRAIN_SHARE * settings.shutdown_seconds)),
        ),
        start=start,
        channel=channel,
        served=served,
        telemetry=telemetry,
        connections=connections,
        log=log,
        end_seconds=END_SHARE * settings.shutdown_seconds,
        report_seconds=settings.reload_seconds,
    )
    # After its graceful stop uvicorn raises the signal again, which would end the process as killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        server.run(sockets=[listener])
    finally:
        if tracing is not None:
            tracing.stop()
        telemetry.flush()
        log.stop()


def _may_yield(settings: Settings) -> bool:
    """Whether a load may; threads that TensorFlow starts in it answer requests where there are several."""
    threads = (settings.tensorflow_intra_op_threads, settings.tensorflow_inter_op_threads)
    return settings.load_priority == "idle" and threads == (1, 1)


def _load(start: WorkerStart, settings: Settings) -> Recommender:
    if start.directory is None:
        raise start.error or AssertionError("a worker without a bundle has no reason why")
    recommender = load_recommender(start.directory, settings)
    # Modules and catalogue are never garbage, and a full collection would visit them while requests wait.
    gc.collect()
    gc.freeze()
    return recommender


class _Server(uvicorn.Server):
    """Accepts connections when its bundle allows, retires, and ends in time even where something does not."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        start: WorkerStart,
        channel: WorkerChannel,
        served: ServedBundle,
        telemetry: Telemetry,
        connections: Connections,
        log: Log,
        end_seconds: float,
        report_seconds: float,
    ) -> None:
        super().__init__(config)
        self._start = start
        self._channel = channel
        self._served = served
        self._telemetry = telemetry
        self._connections = connections
        self._log = log
        self._end_seconds = end_seconds
        self._report_seconds = report_seconds
        self._report_at = 0.0
        self._retire_until: float | None = None
        self._reporting: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Load the bundle and begin to accept connections, in the order that `start` asks for."""
        loaded = asyncio.Event()
        self._channel.attach(
            # Connections that a balancer keeps are closed with their next answer, not while it asks.
            retire=self._retire,
            drain=self._connections.retire,
            supervisor_gone=_end_with_supervisor,
        )
        loop = asyncio.get_running_loop()
        self._served.start(lambda: loop.call_soon_threadsafe(loaded.set))
        if self._start.accepts_at_once:
            await self._accept(sockets)
            self._reporting = asyncio.create_task(self._report_when(loaded))
            return
        while not loaded.is_set() and not self.should_exit:
            with suppress(TimeoutError):
                await asyncio.wait_for(loaded.wait(), 0.1)
        if self.should_exit:
            return
        if self._served.error is not None and self._start.ends_if_refused:
            self.should_exit = True
        else:
            await self._accept(sockets)
        self._report()

    async def _report_when(self, loaded: asyncio.Event) -> None:
        await loaded.wait()
        self._report()

    def _report(self) -> None:
        """Report what became of the bundle, if there is one."""
        if self._start.directory is None:
            return
        error = self._served.error
        if error is None:
            self._channel.report_loaded()
        else:
            self._channel.report_refused(error)

    async def _accept(self, sockets: list[socket.socket] | None) -> None:
        await super().startup(sockets)
        await super().on_tick(0)  # or answers before the first tick would have no date
        self._channel.report_accepting()

    async def on_tick(self, counter: int) -> bool:
        """Do what is due; uvicorn calls it ten times a second."""
        now = asyncio.get_running_loop().time()
        self._connections.close_slow_ones(now)
        if now >= self._report_at:
            self._report_at = now + self._report_seconds
            self._telemetry.report_resources()
        self._telemetry.flush()
        if self._retire_until is not None and (now > self._retire_until or not self._connections.num_open):
            self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop gracefully, within bounds."""
        if not self.should_exit:
            timer = threading.Timer(self._end_seconds, self._end)
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)

    def _retire(self) -> None:
        """Stop accepting, and answer every open connection once more."""
        logger.info("retiring: another worker serves the next bundle")
        for server in self.servers:
            server.close()
        self._connections.retire()
        self._retire_until = asyncio.get_running_loop().time() + RETIRE_SECONDS

    def _end(self) -> None:
        logger.warning("ending with work unfinished: MATINEE_SHUTDOWN_SECONDS are over")
        self._telemetry.flush()
        self._log.stop()
        os._exit(0)


def _end_with_supervisor() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
