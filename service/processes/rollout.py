"""Decide which worker serves which bundle, and start workers accordingly, one bundle for a worker's life.

A new bundle is taken up by new workers, one slot after the other: a successor loads and verifies the bundle
before it accepts connections; then the worker before it stops accepting, answers each of its connections once
more with `Connection: close`, and leaves. So there is never more than one process more than configured.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from service import errors
from service.errors import BundleError, NoBundle
from service.processes.listening import DEALS_OUT, join
from service.processes.messages import Message
from service.processes.slot import Slot
from service.processes.worker_process import Run, WorkerProcess, WorkerStart, fork_worker
from service.reloading.bundle_selection import BundleSelection
from service.reloading.refusals import Refusal
from service.telemetry.logs import STAGE

logger = logging.getLogger(__name__)


class Rollout:
    """The slots of all workers, and the bundle that they are to serve.

    Args:
        count: Workers wanted.
        reserved: Holds the address, see `listening.reserve`.
        run: A worker's work, in its own process.
        selection: Which bundle to serve.
        reload_seconds: Pause between two looks at CURRENT.
        died: Called when a worker ended without having been asked to.
    """

    def __init__(
        self,
        count: int,
        reserved: socket.socket,
        run: Run,
        selection: BundleSelection,
        *,
        reload_seconds: float,
        died: Callable[[], None],
    ) -> None:
        self.slots = [Slot(number) for number in range(1, count + 1)]
        self._reserved = reserved
        self._run = run
        self._selection = selection
        self._reload_seconds = reload_seconds
        self._died = died
        self._live: Path | None = None
        self._was_live = False
        self._look_at = 0.0
        self._look_wanted = False
        self._waiting_looks: list[tuple[WorkerProcess, int]] = []

    @property
    def processes(self) -> list[WorkerProcess]:
        """Every worker process there is."""
        return [process for slot in self.slots for process in slot.processes]

    @property
    def next_due_at(self) -> float:
        """When there is something to do by itself, by `time.monotonic`."""
        return min([self._look_at, *(slot.due_at for slot in self.slots if not slot.is_due)])

    def look(self) -> None:
        """Have CURRENT read at the next `advance`, and refused bundles tried again."""
        self._look_wanted = True

    def advance(self) -> None:
        """Start what is due: a missing worker, the next successor, or a look at CURRENT."""
        if self._live is None and not any(slot.processes for slot in self.slots):
            if any(slot.is_due for slot in self.slots):
                directory = self._select()
                if directory is not None and not self._was_live:
                    logger.info("loading bundle %s", directory.name, extra=STAGE)
                self._start_missing(directory)
            return
        self._start_missing(self._live)
        if any(slot.is_loading for slot in self.slots):
            return
        retiring = [slot.retiring for slot in self.slots if slot.retiring]
        # A request that waits for its answer would keep a worker from leaving.
        self._answer_looks(retiring if self._look_wanted else self.processes)
        if retiring:
            return
        behind = [slot for slot in self.slots if slot.current and slot.current.start.directory != self._live]
        if self._live is not None and behind:
            if due := next((slot for slot in behind if slot.is_due), None):
                due.successor = self._start(due, self._live)
        elif self._look_wanted or time.monotonic() >= self._look_at:
            directory = self._select()
            slot = next((slot for slot in self.slots if slot.current is not None), None)
            if directory is not None and slot is not None:
                slot.successor = self._start(slot, directory)
            else:
                self._answer_looks(self.processes)

    def follow(self, slot: Slot, process: WorkerProcess, message: Message) -> None:
        """Act on a message of a worker."""
        event = message["event"]
        if event == "accepting":
            process.is_accepting = True
        elif event == "loaded":
            self._loaded(slot, process)
        elif event == "refused":
            process.is_refused = True
            self._refuse(process, _error(message["error"], message["detail"]))
        elif event == "look":
            self._waiting_looks.append((process, message["number"]))
            self.look()

    def remove(self, slot: Slot, process: WorkerProcess, exit_code: int) -> None:
        """Note that a process has ended, and when another may take its place."""
        was_retiring, was_current = slot.retiring is process, slot.current is process
        slot.remove(process)
        self._waiting_looks = [each for each in self._waiting_looks if each[0] is not process]
        if not any(each.current and each.current.is_loaded for each in self.slots):
            self._live = None
        if was_retiring:
            return
        lived = time.monotonic() - process.started_at
        if process.is_refused:
            if was_current or process.start.directory == self._live:
                slot.back_off(lived)
            return
        pause = slot.back_off(lived)
        logger.error(
            "worker %d (process %d) ended with %d; another takes its place in %g s",
            *(slot.number, process.process_id, exit_code, pause),
        )
        self._died()
        if process.is_loading:
            reason = f"{process.start.directory}: a worker ended with {exit_code} while it loaded the bundle"
            self._refuse(process, BundleError(reason), may_pass=True)
        if DEALS_OUT and not slot.processes and any(each.is_accepting for each in self.processes):
            # Else the system would go on dealing connections out to a socket that no process accepts from.
            slot.close_listener()

    def _select(self) -> Path | None:
        if self._look_wanted:
            self._selection.retry()
        self._look_wanted = False
        self._look_at = time.monotonic() + self._reload_seconds
        before = self._selection.refusal
        directory = self._selection.select(None if self._live is None else self._live.name)
        if self._selection.refusal != before:
            self._broadcast_refusal()
        return directory

    def _start_missing(self, directory: Path | None) -> None:
        for slot in self.slots:
            if slot.current is None and slot.successor is None and slot.is_due:
                slot.current = self._start(slot, directory)

    def _start(self, slot: Slot, directory: Path | None) -> WorkerProcess:
        others = self.processes
        if slot.listener is None:
            slot.listener = join(self._reserved)
        refusal = self._selection.refusal
        start = WorkerStart(
            number=slot.number,
            key=slot.next_key(),
            directory=directory,
            error=_reason(refusal) if directory is None else None,
            refusal=refusal,
            accepts_at_once=not any(each.is_accepting or each.start.accepts_at_once for each in others),
            ends_if_refused=slot.current is not None or any(each.is_loaded for each in others),
        )
        unused = [each.listener for each in self.slots if each.listener not in {None, slot.listener}]
        return fork_worker(
            start,
            slot.listener,
            self._run,
            close_in_child=[*(each.messages for each in others), *(each for each in unused if each)],
        )

    def _loaded(self, slot: Slot, process: WorkerProcess) -> None:
        process.is_loaded = True
        directory = process.start.directory
        if directory is not None and directory != self._live:
            self._live = directory
            self._selection.accept(directory)
            # In the words of a stage once, when the service starts.
            logger.info("bundle %s is live", directory.name, extra=None if self._was_live else STAGE)
            self._was_live = True
            self._broadcast_refusal()
        if slot.successor is process:
            slot.take_over()

    def _refuse(self, process: WorkerProcess, error: BundleError, *, may_pass: bool = False) -> None:
        if process.start.directory is not None:
            self._selection.refuse(process.start.directory, error, may_pass=may_pass)
            self._broadcast_refusal()

    def _broadcast_refusal(self) -> None:
        for process in self.processes:
            process.messages.send({"event": "refusal", "refusal": _document(self._selection.refusal)})

    def _answer_looks(self, processes: Sequence[WorkerProcess]) -> None:
        bundle_id = None if self._live is None else self._live.name
        answer = {"bundle_id": bundle_id, "refusal": _document(self._selection.refusal)}
        waiting = []
        for process, number in self._waiting_looks:
            if process in processes:
                process.messages.send({"event": "looked", "number": number} | answer)
            else:
                waiting.append((process, number))
        self._waiting_looks = waiting


def _document(refusal: Refusal | None) -> dict[str, str | None] | None:
    return None if refusal is None else refusal.to_document()


def _reason(refusal: Refusal | None) -> BundleError:
    """Why a worker is started without a bundle."""
    if refusal is None:
        return NoBundle("no bundle is served; try again shortly")
    return _error(refusal.error, refusal.detail)


def _error(name: str, detail: str) -> BundleError:
    error: BundleError = getattr(errors, name)(detail)
    return error
