"""Fork worker processes, and what the supervisor knows of each."""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from service.errors import BundleError
from service.processes.messages import MessageSocket
from service.reloading.refusals import Refusal

WATCHED_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


@dataclass(frozen=True, kw_only=True)
class WorkerStart:
    """What a worker is started with.

    Attributes:
        number: Of its slot, from 1.
        key: Distinguishes it from the other process that may have the same number for a while.
        directory: Of the bundle it serves for its whole life; None for none.
        error: Why there is none.
        refusal: What is refused now.
        accepts_at_once: Whether it accepts connections before its bundle is loaded, because no other process
            of the service does.
        ends_if_refused: Whether it ends where its bundle cannot be served, because others serve one.
    """

    number: int
    key: str
    directory: Path | None
    error: BundleError | None
    refusal: Refusal | None
    accepts_at_once: bool
    ends_if_refused: bool


@dataclass
class WorkerProcess:
    """A running worker.

    Attributes:
        start: What it was started with.
        process_id: Of the system.
        messages: The supervisor's end of the channel.
        is_accepting: Whether it accepts connections.
        is_loaded: Whether its bundle is loaded.
        is_refused: Whether its bundle cannot be served.
        retired_at: When it was replaced, by `time.monotonic`; None while it is not.
    """

    start: WorkerStart
    process_id: int
    messages: MessageSocket
    started_at: float = field(default_factory=time.monotonic)
    is_accepting: bool = False
    is_loaded: bool = False
    is_refused: bool = False
    retired_at: float | None = None

    @property
    def bundle_id(self) -> str | None:
        """Of the bundle it serves; None while it serves none."""
        return self.start.directory.name if self.is_loaded and self.start.directory else None

    @property
    def is_loading(self) -> bool:
        """Whether it is not known yet what becomes of its bundle."""
        return self.start.directory is not None and not (self.is_loaded or self.is_refused)

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process_id, number)


Run = Callable[[WorkerStart, socket.socket, MessageSocket], None]
"""A worker's work, in its own process: what it starts with, its socket to listen on, its channel."""


def fork_worker(
    start: WorkerStart,
    listener: socket.socket,
    run: Run,
    *,
    close_in_child: Iterable[MessageSocket | socket.socket],
) -> WorkerProcess:
    """Fork a worker.

    Args:
        start: What it is started with.
        listener: Its bound socket.
        run: Its work; the process ends when it returns.
        close_in_child: What belongs to the supervisor or to other workers. A channel that another worker
            keeps open would hide the supervisor's end from its owner, and a socket would go on taking
            connections that no process accepts.
    """
    ours, theirs = MessageSocket.pair()
    # Everything alive now stays shared with the child, whose garbage collector would else write to all of it.
    gc.freeze()
    process_id = os.fork()
    if process_id:
        theirs.close()
        return WorkerProcess(start, process_id, ours)
    exit_code = 1
    try:
        reset_signals()
        for each in (ours, *close_in_child):
            each.close()
        run(start, listener, theirs)
        exit_code = 0
    except SystemExit as error:
        exit_code = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 nothing of the supervisor's may run in the child
        traceback.print_exc()
    finally:
        os._exit(exit_code)


def reset_signals() -> None:
    """Undo what the supervisor set up; SIGHUP is ignored, which by default would end the process."""
    signal.set_wakeup_fd(-1)
    for number in WATCHED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
