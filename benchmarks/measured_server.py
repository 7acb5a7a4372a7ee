"""Start a server in a subprocess and read its processor time and memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class MeasuredServer:
    """A server that is ready on 127.0.0.1.

    Attributes:
        pid: Process id.
        port: Port that it listens on.
        start_seconds: Time from start to ready.
    """

    pid: int
    port: int
    start_seconds: float

    @classmethod
    @contextmanager
    def no_op(cls) -> Iterator[MeasuredServer]:
        """Start `benchmarks.no_op`."""
        port = _free_port()
        with cls._started(["-m", "benchmarks.no_op", "--port", str(port)], {}, port) as server:
            yield server

    @classmethod
    @contextmanager
    def service(
        cls, artifacts: Path, settings: Mapping[str, str], code: Path | None = None
    ) -> Iterator[MeasuredServer]:
        """Start the service with its default settings, logs and metrics on, except for these variables.

        Args:
            artifacts: Artifacts directory to serve.
            settings: Environment variables.
            code: Checkout to run; None for this one.
        """
        port = _free_port()
        own = {"MATINEE_ARTIFACTS": str(artifacts.resolve()), "MATINEE_PORT": str(port)}
        with cls._started(["-m", "service"], own | dict(settings), port, code) as server:
            if int(settings.get("MATINEE_WORKERS", "1")) > 1:
                # Connections are distributed: so many in a row reach every worker.
                _wait_until_ready(port, in_a_row=40)
            yield server

    @classmethod
    @contextmanager
    def _started(
        cls, arguments: Sequence[str], settings: Mapping[str, str], port: int, code: Path | None = None
    ) -> Iterator[MeasuredServer]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MATINEE_")}
        started = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 our own
            [sys.executable, *arguments],
            env=inherited | dict(settings),
            cwd=code,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_ready(port)
            yield cls(process.pid, port, time.monotonic() - started)
        finally:
            process.terminate()
            process.wait()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time of the process and of its children that run."""
        return sum(_cpu_seconds(pid) for pid in (self.pid, *self.workers))

    def resident_mib(self) -> float:
        """Memory of the largest worker, with what it shares; of a server without workers its own."""
        return max(_resident_mib(pid) for pid in (self.pid, *self.workers))

    def proportional_mib(self) -> float:
        """Memory of all its processes, pages that they share counted once (PSS)."""
        return sum(_proportional_mib(pid) for pid in (self.pid, *self.workers))

    @property
    def workers(self) -> list[int]:
        """Process ids of its children."""
        text = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in text.split()]


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _proportional_mib(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it has ended
        return 0.0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0) / 1024


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(port: int, *, in_a_row: int = 1, seconds: float = 120) -> None:
    deadline, ready = time.monotonic() + seconds, 0
    while time.monotonic() < deadline and ready < in_a_row:
        try:
            is_ready = httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        except httpx.TransportError:
            is_ready = False
        ready = ready + 1 if is_ready else 0
        if not is_ready:
            time.sleep(0.02)
    if ready < in_a_row:
        raise SystemExit(
            f"port {port}: expected a server ready within {seconds:g} s, got none; run it by hand to see why"
        )
