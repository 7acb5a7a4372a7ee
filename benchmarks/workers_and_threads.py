"""Throughput and processor time by number of workers and of TensorFlow threads.

    python -m benchmarks.workers_and_threads --artifacts artifacts --page docs/deployment.md

Starts the service with all settings and loads them in turns, several rounds, so that other load of the
machine affects all of them. Processor time is of all processes of a service.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.closed_loop import Run, run_closed
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.overhead.bodies import Bodies
from benchmarks.page import markdown_table, run_benchmark

CONNECTIONS = 16
SETTINGS = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1))
"""Workers, and TensorFlow threads of each."""
MARK = "benchmarks.workers_and_threads"


def main() -> None:
    """Print the table, and write it into a page."""
    run_benchmark("Rate and processor time by workers and threads.", MARK, measure, seconds=4)


def measure(artifacts: Path, rounds: int, seconds: float) -> str:
    """Measure; return the table as Markdown."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(
                MeasuredServer.service(
                    artifacts,
                    {"MATINEE_WORKERS": str(workers), "MATINEE_TENSORFLOW_INTRA_OP_THREADS": str(threads)},
                )
            )
            for workers, threads in SETTINGS
        ]
        bodies = Bodies(servers[0].url).of("known user")
        runs: list[list[Run]] = [[] for _ in servers]
        for count in range(1 + rounds):
            for server, own in zip(servers, runs, strict=True):
                run = run_closed(server, "/recommend", bodies, connections=CONNECTIONS, seconds=seconds)
                if count:  # the first is a warm-up
                    own.append(run)
    headings = ["workers", "`MATINEE_TENSORFLOW_INTRA_OP_THREADS`", "requests/s", "CPU us a request"]
    headings += ["least to most", "p99 ms"]
    rows = [
        [
            str(workers),
            str(threads),
            f"{median(run.per_second for run in own):,.0f}",
            f"{median(run.cpu_us for run in own):.0f}",
            f"{min(run.cpu_us for run in own):.0f} to {max(run.cpu_us for run in own):.0f}",
            f"{median(run.p99_ms for run in own):.1f}",
        ]
        for (workers, threads), own in zip(SETTINGS, runs, strict=True)
    ]
    machine = format_machine(describe_machine(["fastapi", "uvicorn", "numpy"]))
    load = f"{rounds} rounds of {seconds:g} s, {CONNECTIONS} connections, `/recommend` of 10"
    heading = f"Medians of {load}; {machine}."
    return f"{heading}\n\n{markdown_table(headings, rows)}"


if __name__ == "__main__":
    main()
