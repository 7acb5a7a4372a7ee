"""Where log lines go: a bounded buffer, and a thread that writes it, so that nobody waits for a slow reader.

A service whose standard output is a pipe that nobody empties must go on answering. Lines wait for at most
`GATHER_SECONDS`; past `MOST_WAITING` of them new ones are dropped, counted, and reported in their place.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

MOST_WAITING = 20_000
GATHER_SECONDS = 0.05
STOP_SECONDS = 1.0
"""How long the end of the process waits for a reader to take what is left."""

_ATOMIC_BYTES = 4096  # PIPE_BUF of Linux: a write no longer than this is not mixed with another process's


class LogLines:
    """Writes lines to a file descriptor from a thread of its own.

    Args:
        descriptor: Where to, such as that of standard output.
        report: Makes the line that says how many were dropped.
        count: Is told how many were dropped, from the thread that writes.
    """

    def __init__(self, descriptor: int, report: Callable[[int], str], count: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._report = report
        self._count = count
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._some = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="log-lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Takes one line, which ends in a newline; never waits and never fails."""
        if len(self._waiting) >= MOST_WAITING:
            self._dropped += 1
            return
        self._waiting.append(line)
        if not self._some.is_set():
            self._some.set()

    def stop(self) -> None:
        """Writes out what waits, unless nobody takes it."""
        self._stopping.set()
        self._some.set()
        self._thread.join(STOP_SECONDS)

    def _write_all(self) -> None:
        stopping = False
        while not stopping:
            self._some.wait()
            stopping = self._stopping.wait(GATHER_SECONDS)
            self._some.clear()
            try:
                while self._waiting or self._dropped:
                    self._write_some()
            except OSError:  # the reader is gone for good, and so is everybody who could be told
                self._waiting.clear()

    def _write_some(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._count(dropped)
            self._waiting.append(self._report(dropped))
        piece = b""
        while self._waiting:
            line = self._waiting[0].encode(errors="backslashreplace")
            if piece and len(piece) + len(line) > _ATOMIC_BYTES:
                break
            piece += line
            self._waiting.popleft()
        while piece:
            try:
                piece = piece[os.write(self._descriptor, piece) :]
            except BlockingIOError:  # another process has made our common standard output non-blocking
                select.select([], [self._descriptor], [])
