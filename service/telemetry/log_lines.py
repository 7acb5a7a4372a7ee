"""Write log lines to a pipe from a thread of its own, through a bounded buffer that never blocks a request.

A service whose standard output is a pipe that no process reads must go on answering. The standard library's
QueueHandler and QueueListener cost 4 to 9 times the processor time for each request, or twice it for lines
formatted beforehand: they wake a thread and write once for each line.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

MAX_WAITING = 20_000
"""Lines in the buffer; past it new ones are dropped, counted, and reported in their place."""
GATHER_SECONDS = 0.05
"""Longest time that a line waits for others, to be written together."""
STOP_SECONDS = 1.0
"""How long the end of the process waits for the pipe to take what is left."""

_ATOMIC_BYTES = 4096  # PIPE_BUF of Linux: a write no longer than this is not mixed with another process's


class LogLines:
    """A stream for `logging.StreamHandler` whose `write` neither blocks nor fails.

    Args:
        descriptor: File descriptor to write to, such as that of standard output.
        report: Makes the line that reports a number of dropped lines.
        count: Counts dropped lines; called from the thread that writes.
    """

    def __init__(self, descriptor: int, report: Callable[[int], str], count: Callable[[int], None]) -> None:
        self._descriptor = descriptor
        self._report = report
        self._count = count
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_all, name="log-lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue one line, which ends in a newline."""
        if len(self._waiting) >= MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def stop(self) -> None:
        """Write out what waits, for at most `STOP_SECONDS`."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(STOP_SECONDS)

    def _write_all(self) -> None:
        stopping = False
        while not stopping:
            self._wake.wait()
            stopping = self._stopping.wait(GATHER_SECONDS)
            self._wake.clear()
            try:
                while self._waiting or self._dropped:
                    self._write_some()
            except OSError:  # the reader closed the pipe for good
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
            except BlockingIOError:  # another process made the shared standard output non-blocking
                select.select([], [self._descriptor], [])
