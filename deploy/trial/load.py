"""Background load through the published port, and summaries of load tests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from types import TracebackType
from typing import Self

from deploy.trial.commands import REPOSITORY

_ROUND_SECONDS = 10


class Load:
    """Context manager that repeats the load test in a thread; leaving waits for the last round.

    Args:
        url: Base URL of the service.
    """

    def __init__(self, url: str) -> None:
        self.rounds = 0
        self.failures: list[str] = []
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._repeat)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _repeat(self) -> None:
        options = ("--seconds", str(_ROUND_SECONDS), "--connections", "8", "--max-error-rate", "0")
        command = [sys.executable, "-m", "benchmarks.load_test", self._url, *options]
        while not self._stop.is_set():
            done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
            self.rounds += 1
            if done.returncode:
                self.failures.append(done.stdout + done.stderr)


def describe(printed: str) -> str:
    """Summarize the output of a load test, which has one JSON object on a line."""
    [line] = [line for line in printed.splitlines() if line.startswith("{")]
    measured = json.loads(line)
    latency_ms, limits = measured["latency_ms"], measured["client"]["limits"]
    return (
        f"{measured['requests_per_second']:.0f} requests/s, p50 {latency_ms['p50']:.0f} ms, "
        f"p99 {latency_ms['p99']:.0f} ms, none failed{'; the client was the limit' * bool(limits)}"
    )
