"""Several worker processes: forked, watched over, replaced when they die, stopped together.

The parent is small and has one thread, answers no requests and never imports TensorFlow.
docs/operations.md says why this is not uvicorn's supervisor.
"""

from __future__ import annotations

import gc
import logging
import os
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

logger = logging.getLogger(__name__)

STABLE_SECONDS = 30.0
"""A worker that lived so long is replaced at once; for one that did not, the pause doubles each time."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_WATCHED = (*_STOPPING, signal.SIGHUP, signal.SIGCHLD)


@dataclass
class _Worker:
    number: int
    process_id: int | None = None
    started: float = 0.0
    pause_seconds: float = 0.0
    due: float = 0.0
    deaths: int = 0


class Workers:
    """The parent's life.

    Args:
        count: Processes wanted.
        run: A worker's life, in its own process. Its arguments: the worker's number, from 1; whether it takes
            a dead one's place; and a pipe's read end, which comes to its end when the parent is gone.
        changed: Is told how many workers run, whenever that changes.
        died: Is told the number of a worker that ended without being told to.
    """

    def __init__(
        self,
        count: int,
        run: Callable[[int, bool, int], None],
        *,
        changed: Callable[[int], None],
        died: Callable[[int], None],
    ) -> None:
        self._workers = [_Worker(number) for number in range(1, count + 1)]
        self._run = run
        self._changed = changed
        self._died = died
        self._told_to_stop = False
        self._told_to_reload = False
        self._life_to_read, self._life = os.pipe()

    def watch(self, *, stopping: Callable[[], None], shutdown_seconds: float) -> None:
        """Keeps workers running until SIGTERM or SIGINT, then stops them; hands SIGHUP on to them.

        Args:
            stopping: Called first when told to stop, such as to give up the address.
            shutdown_seconds: From then on; a worker that runs after it is killed.
        """
        with self._signals() as wake:
            while not self._told_to_stop:
                self._reap()
                self._start_due()
                if self._told_to_reload:
                    self._told_to_reload = False
                    self._tell_all(signal.SIGHUP)
                self._sleep(wake, min(self._pauses(), default=None))
            deadline = time.monotonic() + shutdown_seconds
            stopping()
            self._tell_all(signal.SIGTERM)
            while self._running() and (left := deadline - time.monotonic()) > 0:
                self._sleep(wake, left)
                self._reap()
            if late := self._running():
                logger.warning("killing workers %s: they did not end in time", late)
                self._tell_all(signal.SIGKILL)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """While inside, the signals that matter make this readable, and those that stop are remembered."""
        wake, woken = os.pipe()
        for descriptor in (wake, woken):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in _WATCHED:
            signal.signal(number, self._on_signal)
        try:
            yield wake
        finally:
            _forget_signals()

    def _on_signal(self, number: int, _frame: object) -> None:
        self._told_to_stop |= number in _STOPPING
        self._told_to_reload |= number == signal.SIGHUP

    @staticmethod
    def _sleep(wake: int, seconds: float | None) -> None:
        if select.select([wake], [], [], seconds)[0]:
            os.read(wake, 4096)

    def _pauses(self) -> Iterator[float]:
        now = time.monotonic()
        return (max(worker.due - now, 0.0) for worker in self._workers if worker.process_id is None)

    def _running(self) -> list[int]:
        return [worker.number for worker in self._workers if worker.process_id is not None]

    def _tell_all(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process_id is not None:
                os.kill(worker.process_id, number)

    def _reap(self) -> None:
        """Notes who died; as process 1 of a container also takes the exit codes of other people's orphans."""
        by_process_id = {worker.process_id: worker for worker in self._workers}
        while True:
            try:
                process_id, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if process_id == 0:
                break
            if worker := by_process_id.get(process_id):
                self._bury(worker, os.waitstatus_to_exitcode(status))

    def _bury(self, worker: _Worker, exit_code: int) -> None:
        process_id, worker.process_id = worker.process_id, None
        self._changed(len(self._running()))
        if self._told_to_stop:
            return
        self._died(worker.number)
        now = time.monotonic()
        worker.deaths += 1
        stable = now - worker.started >= STABLE_SECONDS
        doubled = min(max(2 * worker.pause_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        worker.pause_seconds = 0.0 if stable else doubled
        worker.due = now + worker.pause_seconds
        logger.error(
            "worker %d (process %d) ended with %d; another takes its place in %g s",
            *(worker.number, process_id, exit_code, worker.pause_seconds),
        )

    def _start_due(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.process_id is None and worker.due <= now:
                worker.started = now
                worker.process_id = self._fork(worker)
                self._changed(len(self._running()))

    def _fork(self, worker: _Worker) -> int:
        # What is alive now stays shared with the child, whose collector would else write to all of it.
        gc.freeze()
        process_id = os.fork()
        if process_id:
            return process_id
        exit_code = 1
        try:
            _forget_signals()
            os.close(self._life)
            self._run(worker.number, worker.deaths > 0, self._life_to_read)
            exit_code = 0
        except SystemExit as error:
            exit_code = error.code if isinstance(error.code, int) else 1
        except BaseException:  # noqa: BLE001 nothing of the parent's may run in the child
            traceback.print_exc()
        finally:
            os._exit(exit_code)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _WATCHED:
        signal.signal(number, signal.SIG_DFL)
    # A worker that is still starting may be told to reload, which by default would end it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
