"""The place of one worker: its socket, the process in it, and the one that takes over."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from service.processes.worker_process import WorkerProcess

STABLE_SECONDS = 30.0
"""A worker that lived so long is replaced at once; for one that did not, the pause doubles each time."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0


@dataclass
class Slot:
    """One of the workers that are wanted.

    A successor accepts from the same socket as the process before it, so that no connection which waits to
    be accepted is lost when it takes over.

    Attributes:
        number: From 1.
        listener: Bound; None until a process is started, and after it was given up with a dead one.
        current: The process in it.
        successor: The one that loads the next bundle, and then takes over.
        retiring: The one that was replaced, and answers its connections once more.
        due_at: When a process may be started again, by `time.monotonic`.
    """

    number: int
    listener: socket.socket | None = None
    current: WorkerProcess | None = None
    successor: WorkerProcess | None = None
    retiring: WorkerProcess | None = None
    due_at: float = 0.0
    _pause_seconds: float = 0.0
    _num_started: int = 0

    @property
    def processes(self) -> list[WorkerProcess]:
        """Every process of the slot."""
        return [each for each in (self.current, self.successor, self.retiring) if each is not None]

    @property
    def is_loading(self) -> bool:
        """Whether a process other than a retiring one loads a bundle."""
        return self.successor is not None or (self.current is not None and self.current.is_loading)

    @property
    def is_due(self) -> bool:
        """Whether a process may be started now."""
        return time.monotonic() >= self.due_at

    def next_key(self) -> str:
        """A name for the next process that differs from that of the one before it."""
        self._num_started += 1
        return f"{self.number}{'ab'[self._num_started % 2]}"

    def take_over(self) -> None:
        """Put the successor in the place of the current process, and have that one retire."""
        self.retiring, self.current, self.successor = self.current, self.successor, None
        if self.retiring is not None:
            self.retiring.retired_at = time.monotonic()
            self.retiring.messages.send({"event": "retire"})

    def remove(self, process: WorkerProcess) -> None:
        """Take out a process that has ended."""
        process.messages.close()
        self.current = None if self.current is process else self.current
        self.successor = None if self.successor is process else self.successor
        self.retiring = None if self.retiring is process else self.retiring

    def back_off(self, lived_seconds: float) -> float:
        """Delay the next start after an early end; returns the pause in seconds."""
        doubled = min(max(2 * self._pause_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._pause_seconds = 0.0 if lived_seconds >= STABLE_SECONDS else doubled
        self.due_at = time.monotonic() + self._pause_seconds
        return self._pause_seconds

    def close_listener(self) -> None:
        """Give up the socket; the system deals no more connections out to it."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
