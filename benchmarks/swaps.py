"""Measure what 20 swaps in a row cost a service under load: failed requests, latency, memory.

    python -m benchmarks.swaps --artifacts artifacts

Copies the live bundle under new names into a temporary directory and serves it there with two workers. Finds
how many requests/s 16 connections get at most, and offers `--load` of that at a fixed rate without a break,
while one bundle after the other goes live. Requests due while one is being taken up are compared with those
due in the `--seconds` before, so that what else the machine does affects both alike. Needs no privileges.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.bundle_copies import copies_of
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table, replace_between
from benchmarks.socket_load import Load, Sample, percentile
from service.bundle.current import go_live, read_current
from service.bundle.histories import Histories
from service.bundle.manifest import read_manifest

MOST_GROWTH, MOST_SLOWDOWN, WORKERS = 1.05, 2.0, 2
"""The bars: memory of all processes after the last swap over that after the second, p99 during swaps over
that without, and at most one process more than these workers."""
MARK = "benchmarks.swaps"


def main() -> None:
    """Print the figures, write them into a page; exit with 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description="Swaps under load.")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--load", type=float, default=0.5, help="share of the capacity")
    parser.add_argument("--per-second", type=float, help="requests/s, in place of --load: runs compare")
    parser.add_argument("--seconds", type=float, default=3, help="seconds without a swap, before each")
    parser.add_argument("--priority", default="", help="MATINEE_LOAD_PRIORITY; empty for the default")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="matinee-swaps-") as directory:
        artifacts = Path(directory)
        copies = copies_of(read_current(arguments.artifacts), artifacts, arguments.swaps + 1)
        settings = {"MATINEE_RELOAD_SECONDS": "3600", "MATINEE_WORKERS": str(WORKERS)}
        settings |= {"MATINEE_LOAD_PRIORITY": arguments.priority}
        with MeasuredServer.service(artifacts, settings) as server:
            figures = _measure(artifacts, copies, server, arguments)
    text = _table(figures)
    sys.stdout.write(f"{text}\n")
    if arguments.page:
        replace_between(arguments.page, MARK, text)
    sys.exit(0 if figures.passed else 1)


@dataclass(frozen=True)
class Figures:
    """Measurements of all swaps."""

    most_per_second: float
    per_second: float
    quiet: list[Sample]
    swapping: list[Sample]
    swap_seconds: list[float]
    memory_mib: list[float]
    most_workers: int

    @property
    def failed(self) -> tuple[int, int]:
        """Numbers of requests without a 200, without and during swaps."""
        without, during = (
            sum(each.status != 200 for each in samples) for samples in (self.quiet, self.swapping)
        )
        return without, during

    @property
    def slowdown(self) -> float:
        """p99 during swaps over that without."""
        return percentile(self.swapping, 0.99) / percentile(self.quiet, 0.99)

    @property
    def growth(self) -> float:
        """Memory after the last swap over that after the second."""
        return self.memory_mib[-1] / self.memory_mib[1]

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return (
            self.failed == (0, 0)
            and self.slowdown <= MOST_SLOWDOWN
            and self.growth <= MOST_GROWTH
            and self.most_workers <= WORKERS + 1
        )


def _measure(
    artifacts: Path, copies: list[Path], server: MeasuredServer, arguments: argparse.Namespace
) -> Figures:
    manifest = read_manifest(copies[0])
    histories = Histories.open(copies[0], manifest.index.candidates)
    users = random.Random(0).choices(range(len(histories)), k=1_000)  # noqa: S311 no secret
    bodies = [{"user_id": histories.user_id_of(user), "k": 10} for user in users]
    _closed(server.port, bodies, 2)
    most = _closed(server.port, bodies, 5)
    per_second = arguments.per_second or arguments.load * most
    load = Load(server.port, bodies, connections=64, per_second=per_second)
    swaps, rests, memory, most_workers = [], [], [], []
    for copy in copies[1:]:
        time.sleep(1)  # until requests delayed by the start or the last swap are answered
        began = time.monotonic()
        time.sleep(arguments.seconds)
        rests.append((began, time.monotonic()))
        began, old = time.monotonic(), set(server.workers)
        go_live(artifacts, copy.name)
        os.kill(server.pid, signal.SIGHUP)
        most_workers.append(_wait_for(server, old, copy.name))
        swaps.append((began, time.monotonic()))
        memory.append(server.proportional_mib())
    time.sleep(1)
    samples = load.stop()
    return Figures(
        most,
        per_second,
        _within(samples, rests),
        _within(samples, swaps),
        [ended - began for began, ended in swaps],
        memory,
        max(most_workers),
    )


def _within(samples: list[Sample], spans: list[tuple[float, float]]) -> list[Sample]:
    return [each for each in samples if any(began <= each.due < ended for began, ended in spans)]


def _closed(port: int, bodies: list[dict[str, object]], seconds: float) -> float:
    """Measure the requests/s of 16 connections in a closed loop."""
    load = Load(port, bodies, connections=16)
    time.sleep(seconds)
    return len(load.stop()) / seconds


def _table(figures: Figures) -> str:
    quiet, swapping = figures.quiet, figures.swapping
    p50, p90, p99, p999 = (
        [f"{1000 * percentile(samples, share):.1f} ms" for samples in (quiet, swapping)]
        for share in (0.5, 0.9, 0.99, 0.999)
    )
    first, second, last = (f"{figures.memory_mib[place]:.0f}" for place in (0, 1, -1))
    rows = [
        ["requests", str(len(quiet)), str(len(swapping)), ""],
        ["failed", *map(str, figures.failed), "0"],
        ["p50", *p50, ""],
        ["p90", *p90, ""],
        ["p99.9", *p999, ""],
        ["p99", p99[0], f"{p99[1]}, {figures.slowdown:.1f} times", f"{MOST_SLOWDOWN:g} times"],
        [
            "seconds for one swap, median / most",
            "",
            f"{median(figures.swap_seconds):.1f} / {max(figures.swap_seconds):.1f}",
            "",
        ],
        [
            "memory of all processes (PSS) after the 1st, 2nd, last swap",
            "",
            f"{first}, {second}, {last} MiB; last over 2nd {figures.growth:.2f}",
            f"{MOST_GROWTH:g}",
        ],
        [
            "most workers at a time",
            str(WORKERS),
            str(figures.most_workers),
            str(WORKERS + 1),
        ],
    ]
    machine = format_machine(describe_machine(["tensorflow-cpu", "uvicorn"]))
    heading = (
        f"{machine}; {len(figures.swap_seconds)} swaps, {figures.per_second:.0f} requests/s offered, "
        f"{figures.per_second / figures.most_per_second:.0%} of the most that 16 connections got:"
    )
    return f"{heading}\n\n{markdown_table([':', 'without swaps', 'during swaps', 'bar'], rows)}"


def _wait_for(server: MeasuredServer, old: set[int], bundle_id: str, *, seconds: float = 300) -> int:
    """Wait until others than the old workers alone serve a bundle; the most workers there were at a time.

    It looks at process ids only: whatever it had the service compute would be felt by the requests measured.
    """
    deadline, most = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        workers = server.workers
        most = max(most, len(workers))
        if len(workers) == WORKERS and not old & set(workers):
            answers = [httpx.get(f"{server.url}/readyz", timeout=30).json() for _ in range(4 * WORKERS)]
            if {answer.get("bundle_id") for answer in answers} == {bundle_id}:
                return most
        time.sleep(0.1)
    raise SystemExit(f"{bundle_id} was not served by {WORKERS} workers within {seconds:g} s")


if __name__ == "__main__":
    main()
