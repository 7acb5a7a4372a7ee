"""Throughput and latency of the service relative to a no-op endpoint of the same framework.

    python -m benchmarks.overhead --artifacts artifacts --page docs/performance.md

Starts `benchmarks.no_op` and the service with several settings, and loads them in turns, so that other load
of the machine affects all of them: ratios are of the runs of one round. Closed loops are by wrk if it is
installed, else by `benchmarks.socket_load`; open loops by the latter.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.closed_loop import Run
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.overhead.bodies import CONNECTIONS, Bodies, Kind, Rounds
from benchmarks.overhead.figures import measure_figures
from benchmarks.page import markdown_table, run_benchmark

MARK = "benchmarks.overhead"
NO_OP = "no-op"
SERVICES = {
    "exact": {"MATINEE_INDEX": "exact"},
    "annoy": {"MATINEE_INDEX": "annoy"},
    "exact, nothing cached": {"MATINEE_INDEX": "exact", "MATINEE_CACHED_USERS": "0"},
    "annoy, nothing cached": {"MATINEE_INDEX": "annoy", "MATINEE_CACHED_USERS": "0"},
}


class Row(NamedTuple):
    """What is compared with the no-op's runs: requests of a kind to a service; what must and should be."""

    kind: Kind
    server: str
    must: float | None = None
    aim: float | None = None


ROWS = (
    Row("known user", NO_OP),
    Row("known user", "exact", 0.80, 1.00),
    Row("known user", "annoy", 0.60, 0.75),
    Row("known user", "exact, nothing cached", 0.60, 0.75),
    Row("known user", "annoy, nothing cached", 0.45, 0.60),
    Row("cold-start user", NO_OP),
    Row("cold-start user", "exact", 0.50, 0.65),
    Row("cold-start user", "annoy"),
    Row("cold-start user, dislikes", NO_OP),
    Row("cold-start user, dislikes", "exact"),
    Row("rating", NO_OP),
    Row("rating", "annoy", 0.95, 1.20),
    Row("rating", "annoy, nothing cached"),
)


def main() -> None:
    """Print the tables, and write them into a page."""
    run_benchmark("The service relative to a no-op endpoint.", MARK, measure, seconds=3)


def measure(artifacts: Path, rounds: int, seconds: float) -> str:
    """Measure; return the tables as Markdown."""
    with ExitStack() as stack:
        servers = {NO_OP: stack.enter_context(MeasuredServer.no_op())}
        for name, settings in SERVICES.items():
            servers[name] = stack.enter_context(MeasuredServer.service(artifacts, settings))
        bodies = Bodies(servers["annoy"].url)
        compared = [
            _row(row, connections, runs)
            for connections, rows in ((CONNECTIONS, ROWS), (1, ROWS[:5]))
            for row, runs in _runs(rows, servers, bodies, connections, Rounds(rounds, seconds))
        ]
    figures = measure_figures(artifacts, SERVICES, Rounds(rounds, seconds))
    client = "wrk" if shutil.which("wrk") else "benchmarks.socket_load"
    machine = format_machine(describe_machine(["fastapi", "uvicorn", "annoy", "numpy"]))
    heading = f"{rounds} rounds of {seconds:g} s by {client}; {machine}."
    return f"{heading}\n\n{markdown_table(_HEADINGS, compared)}\n\n{figures}"


_HEADINGS = (
    *("request:", "connections", "server:", "requests/s", "of the no-op's, median", "least to most"),
    *("must", "aim", "CPU us a request", "no-op's CPU over it", "p50 ms", "p99 ms"),
)


def _runs(
    rows: Sequence[Row],
    servers: dict[str, MeasuredServer],
    bodies: Bodies,
    connections: int,
    rounds: Rounds,
) -> list[tuple[Row, list[tuple[Run, Run]]]]:
    """By row its runs, each beside the no-op's of the same round, the first round left out."""
    runs: list[tuple[Row, list[tuple[Run, Run]]]] = [(row, []) for row in rows]
    for place in range(rounds.repeats + 1):
        base: Run | None = None
        for row, own in runs:
            seconds = rounds.seconds if place else 1
            run = bodies.load(servers[row.server], row.kind, connections=connections, seconds=seconds)
            base = run if row.server == NO_OP else base
            assert base is not None  # noqa: S101 of each kind the no-op comes first
            if place:
                own.append((run, base))
    return runs


def _row(row: Row, connections: int, runs: Sequence[tuple[Run, Run]]) -> list[str]:
    ratios = [ours.per_second / theirs.per_second for ours, theirs in runs]
    cpu = [theirs.cpu_us / ours.cpu_us for ours, theirs in runs]
    is_barred = connections == CONNECTIONS
    return [
        row.kind,
        str(connections),
        row.server,
        f"{_median(runs, lambda run: run.per_second):,.0f}",
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        "" if row.must is None or not is_barred else f"{row.must:.2f}",
        "" if row.aim is None or not is_barred else f"{row.aim:.2f}",
        f"{_median(runs, lambda run: run.cpu_us):.0f}",
        f"{median(cpu):.2f}",
        f"{_median(runs, lambda run: run.p50_ms):.2f}",
        f"{_median(runs, lambda run: run.p99_ms):.2f}",
    ]


def _median(runs: Sequence[tuple[Run, Run]], of: Callable[[Run], float]) -> float:
    return median(of(run) for run, _ in runs)


if __name__ == "__main__":
    main()
