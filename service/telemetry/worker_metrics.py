"""Metrics of several processes: one directory of files, which `prometheus_client` maps and adds up.

Files belong to a process key such as "1a", not to a process id, as by default: a worker that replaces a dead
one goes on counting where that one stopped, and the directory does not grow with each death. Processes that
run at the same time must have different keys.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import values
from prometheus_client.multiprocess import mark_process_dead

from service.telemetry.value_buffer import ValueBuffer

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class WorkerMetrics:
    """The directory of metrics, and the key under which this process writes to it: "0" in the supervisor."""

    def __init__(self) -> None:
        self._key = "0"
        self._buffer = ValueBuffer()

    def enter_worker(self, key: str) -> None:
        """Write under a key of this process from now on, and only when `flush` is called.

        To be called in a forked worker, before it makes its `Telemetry`.

        Args:
            key: Letters and digits, such as "1a".
        """
        self._key = key
        self._buffer.is_on = True

    def flush(self) -> None:
        """Write what this process has counted since the last time."""
        self._buffer.flush()

    @contextmanager
    def directory(self) -> Iterator[None]:
        """Have every `Telemetry` made from now on, here and in forked processes, write to one directory.

        It is `PROMETHEUS_MULTIPROC_DIR` where that is set, emptied of what an earlier run left, or else a
        temporary one, which is removed at the end.
        """
        chosen = os.environ.get(_VARIABLE)
        directory = Path(chosen or tempfile.mkdtemp(prefix="matinee-metrics-"))
        directory.mkdir(parents=True, exist_ok=True)
        for left in directory.glob("*.db"):
            left.unlink()
        os.environ[_VARIABLE] = str(directory)
        shared = values.MultiProcessValue(lambda: self._key)  # type: ignore[no-untyped-call] # it has no types
        values.ValueClass = self._buffer.value_class(shared)
        owner = os.getpid()
        try:
            yield
        finally:
            if not chosen and os.getpid() == owner:
                shutil.rmtree(directory, ignore_errors=True)

    def remove_gauges(self, key: str) -> None:
        """Take the gauges of a process that ended out of the metrics; what it counted stays counted."""
        mark_process_dead(key)  # type: ignore[no-untyped-call] # it has no types
