"""One process that answers requests, from its first line to its exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import cast

import uvicorn

from service.app import create_app
from service.processes.connections import Connections
from service.processes.listening import BACKLOG, url, warn_of_strangers
from service.processes.open_files import allow_connections
from service.settings import Settings
from service.telemetry.logs import Log
from service.telemetry.metrics import Telemetry
from service.telemetry.tracing import TracedTelemetry, Tracing

logger = logging.getLogger(__name__)

DRAIN_SHARE, END_SHARE = 0.8, 0.95
"""Of `shutdown_seconds`: until then requests in flight may finish; until then the process has ended."""


def serve(
    settings: Settings,
    listener: socket.socket,
    *,
    worker: int = 1,
    replaces: bool = False,
    parent: int | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; at SIGHUP looks for a new bundle at once.

    Args:
        settings: Of the service.
        listener: A bound socket.
        worker: This process's number.
        replaces: Whether it takes the place of a worker that died: it then accepts nothing before it has a
            bundle, or knows that there is none, since others answer meanwhile.
        parent: The read end of a pipe that comes to its end when the parent is gone.
    """
    tracing = None if settings.tracing == "off" else Tracing()
    telemetry = Telemetry(worker) if tracing is None else TracedTelemetry(worker, tracing)
    log = Log(settings.log_level, settings.log_format, worker=worker, dropped=telemetry.lines_dropped)
    app = create_app(settings, telemetry=telemetry, log=log, tracing=tracing, wait_for_bundle=replaces)
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
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=max(1, int(DRAIN_SHARE * settings.shutdown_seconds)),
        ),
        end_seconds=END_SHARE * settings.shutdown_seconds,
        log=log,
        connections=connections,
        look_soon=app.state.reloader.look_soon,
    )
    # By default it ends the process; before the loop runs it has nothing to say, CURRENT is read then anyway.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # After its graceful stop uvicorn raises the signal again, for whom it would end the process as killed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    if parent is not None:
        threading.Thread(target=_end_with_parent, args=(parent,), name="parent-watch", daemon=True).start()
    else:
        telemetry.workers(1)
        if not settings.api_keys:
            warn_of_strangers(listener)
    try:
        server.run(sockets=[listener])
    finally:
        if tracing is not None:
            tracing.stop()
        log.stop()


class _Server(uvicorn.Server):
    """Ends in time even where something does not, such as the load of a model, which cannot be stopped."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        end_seconds: float,
        log: Log,
        connections: Connections,
        look_soon: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._connections = connections
        self._look_soon = look_soon
        self._end_seconds = end_seconds
        self._log = log

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._look_soon)
        for listener in sockets or ():
            logger.info("serving on %s", url(listener))

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn calls it ten times a second."""
        self._connections.close_slow_ones(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            timer = threading.Timer(self._end_seconds, self._end)
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)

    def _end(self) -> None:
        logger.warning("ending with work unfinished: MATINEE_SHUTDOWN_SECONDS are over")
        self._log.stop()
        os._exit(0)


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)
