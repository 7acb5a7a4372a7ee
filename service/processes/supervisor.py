"""Supervise forked worker processes: start them, follow their messages, reap, replace and stop them.

The supervisor has one thread, answers no requests and never imports TensorFlow. docs/operations.md says why
it is not uvicorn's.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.processes.listening import url, url_to_open
from service.processes.mirror_process import MirrorProcess
from service.processes.rollout import Rollout
from service.processes.worker_process import WATCHED_SIGNALS, reset_signals
from service.telemetry.logs import STAGE

logger = logging.getLogger(__name__)

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_LEAST_WAIT_SECONDS = 0.02


@dataclass(frozen=True)
class WorkerReports:
    """What is reported of workers.

    Attributes:
        running: Called with how many run, after each change.
        ended: Called with the key of a process that has ended.
    """

    running: Callable[[int], None]
    ended: Callable[[str], None]


class Supervisor:
    """Runs a rollout until it is stopped.

    Args:
        rollout: Starts workers, and decides what they serve.
        reserved: Holds the address.
        reports: Receives what becomes of workers.
        retire_seconds: How long a worker that was replaced may take to leave; then it is killed.
        shutdown_seconds: From refusing connections to the end; a worker that runs after it is killed.
        drain_seconds: From SIGTERM until connections are refused; a second signal cuts it short.
        mirror: Copies bundles from an object storage; None where they are in a directory.
    """

    def __init__(
        self,
        rollout: Rollout,
        reserved: socket.socket,
        reports: WorkerReports,
        *,
        retire_seconds: float,
        shutdown_seconds: float,
        drain_seconds: float = 0.0,
        mirror: MirrorProcess | None = None,
    ) -> None:
        self._rollout = rollout
        self._reserved = reserved
        self._reports = reports
        self._retire_seconds = retire_seconds
        self._shutdown_seconds = shutdown_seconds
        self._drain_seconds = drain_seconds
        self._mirror = mirror
        self._num_stops = 0
        self._is_announced = self._is_ready = False
        self._num_running = -1

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then stop the workers; at SIGHUP read CURRENT at once."""
        with self._signals() as wake:
            while not self._num_stops:
                self._reap()
                self._kill_late()
                if self._mirror is not None:
                    self._mirror.advance()
                self._rollout.advance()
                self._report()
                self._wait(wake, self._rollout.next_due_at - time.monotonic())
            self._drain(wake)
            self._stop(wake)

    def _drain(self, wake: int) -> None:
        """Answer on, while balancers see by `/readyz` that others should be asked."""
        deadline = time.monotonic() + self._drain_seconds
        if self._drain_seconds:
            logger.info("draining for %g s: /readyz is 503", self._drain_seconds)
            for process in self._rollout.processes:
                process.messages.send({"event": "drain"})
        while self._rollout.processes and self._num_stops == 1 and (left := deadline - time.monotonic()) > 0:
            self._wait(wake, left)
            self._reap()

    def _stop(self, wake: int) -> None:
        deadline = time.monotonic() + self._shutdown_seconds
        if self._mirror is not None:
            self._mirror.stop()
        # The workers' own copies are the last ones: when they close them, the system refuses connections.
        self._reserved.close()
        for slot in self._rollout.slots:
            slot.close_listener()
        self._signal_all(signal.SIGTERM)
        while self._rollout.processes and (left := deadline - time.monotonic()) > 0:
            self._wait(wake, left)
            self._reap()
        if late := [each.start.key for each in self._rollout.processes]:
            logger.warning("killing workers %s: they did not end in time", late)
            self._signal_all(signal.SIGKILL)

    def _reap(self) -> None:
        """Note which processes have ended; as process 1 of a container also reap orphans of others."""
        slots = self._rollout.slots
        by_process_id = {each.process_id: (slot, each) for slot in slots for each in slot.processes}
        while True:
            try:
                process_id, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if process_id == 0:
                break
            if process_id in by_process_id:
                slot, process = by_process_id[process_id]
                for message in process.messages.receive() or ():
                    self._rollout.follow(slot, process, message)
                self._reports.ended(process.start.key)
                if self._num_stops:
                    slot.remove(process)
                else:
                    self._rollout.remove(slot, process, os.waitstatus_to_exitcode(status))

    def _kill_late(self) -> None:
        for slot in self._rollout.slots:
            process = slot.retiring
            if process and time.monotonic() - (process.retired_at or 0) > self._retire_seconds:
                logger.warning("killing worker %s: it did not leave in time", process.start.key)
                process.kill(signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._rollout.processes:
            process.kill(number)

    def _report(self) -> None:
        running = sum(slot.current is not None for slot in self._rollout.slots)
        if running != self._num_running:
            self._num_running = running
            self._reports.running(running)
        if not self._is_announced and any(each.is_accepting for each in self._rollout.processes):
            self._is_announced = True
            logger.info("listening on %s", url(self._reserved), extra=STAGE)
        if not self._is_ready and any(
            each.is_accepting and each.is_loaded for each in self._rollout.processes
        ):
            self._is_ready = True
            logger.info("Ready: open %s", url_to_open(self._reserved), extra=STAGE)

    def _wait(self, wake: int, seconds: float) -> None:
        """Wait for a signal or a message, at most so long, and follow the messages."""
        slots = self._rollout.slots
        by_descriptor = {each.messages.fileno(): (slot, each) for slot in slots for each in slot.processes}
        seconds = max(seconds, _LEAST_WAIT_SECONDS)
        if any(slot.retiring for slot in slots):
            seconds = min(seconds, 1.0)  # to see whether it is late
        readable, _, _ = select.select([wake, *by_descriptor], [], [], seconds)
        for descriptor in readable:
            if descriptor == wake:
                os.read(wake, 4096)
                continue
            slot, process = by_descriptor[descriptor]
            messages = process.messages.receive()
            if messages is None:  # it is ending
                time.sleep(_LEAST_WAIT_SECONDS)
            for message in messages or ():
                self._rollout.follow(slot, process, message)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Within it the signals that matter make the yielded descriptor readable."""
        wake, woken = os.pipe()
        for descriptor in (wake, woken):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in WATCHED_SIGNALS:
            signal.signal(number, self._on_signal)
        try:
            yield wake
        finally:
            reset_signals()

    def _on_signal(self, number: int, _frame: object) -> None:
        self._num_stops += number in _STOPPING
        if number == signal.SIGHUP:
            self._rollout.look()
            if self._mirror is not None:
                self._mirror.look()
