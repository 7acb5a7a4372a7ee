"""Throughput and latency of the service relative to a no-op endpoint of the same framework.

    python -m benchmarks.overhead --artifacts artifacts --page docs/performance.md

Starts `benchmarks.no_op` and the service with several settings, and loads them in turns, so that other load
of the machine affects all of them: ratios are of the runs of one round. Closed loops are by wrk if it is
installed, else by `benchmarks.socket_load`; open loops by the latter.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx

from benchmarks.closed_loop import Run, run_closed
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table, run_benchmark
from benchmarks.socket_load import Load, percentile

CONNECTIONS = 16
MARK = "benchmarks.overhead"
SERVICES = {
    "annoy": {"MATINEE_INDEX": "annoy"},
    "exact": {"MATINEE_INDEX": "exact"},
    "annoy, no user cache": {"MATINEE_INDEX": "annoy", "MATINEE_CACHED_USERS": "0"},
    "exact, no user cache": {"MATINEE_INDEX": "exact", "MATINEE_CACHED_USERS": "0"},
}


def main() -> None:
    """Print the tables, and write them into a page."""
    run_benchmark("The service relative to a no-op endpoint.", MARK, measure, seconds=3)


def measure(artifacts: Path, rounds: int, seconds: float) -> str:
    """Measure; return the tables as Markdown."""
    with ExitStack() as stack:
        servers = {"no-op": stack.enter_context(MeasuredServer.no_op())}
        for name, settings in SERVICES.items():
            servers[name] = stack.enter_context(MeasuredServer.service(artifacts, settings))
        bodies = Bodies(servers["annoy"].url)
        for server in servers.values():
            for path in ("/recommend", "/predict_rating"):
                run_closed(server, path, bodies.of(path), connections=CONNECTIONS, seconds=seconds)
        rows = []
        for path, connections in (
            ("/recommend", CONNECTIONS),
            ("/predict_rating", CONNECTIONS),
            ("/recommend", 1),
        ):
            names = list(servers) if path == "/recommend" else ["no-op", "annoy", "annoy, no user cache"]
            runs: dict[str, list[Run]] = {name: [] for name in names}
            for _ in range(rounds):
                for name in names:
                    runs[name].append(
                        run_closed(
                            servers[name], path, bodies.of(path), connections=connections, seconds=seconds
                        )
                    )
            rows += [_row(path, connections, name, runs) for name in names]
        rest = _rest(servers, artifacts, bodies, seconds)
    headings = ["path:", "connections", "server:", "requests/s", "of the no-op's, median", "least to most"]
    headings += ["CPU us a request", "no-op's CPU over it", "p50 ms", "p99 ms"]
    client = "wrk" if shutil.which("wrk") else "benchmarks.socket_load"
    machine = format_machine(describe_machine(["fastapi", "uvicorn", "annoy", "numpy"]))
    heading = f"{rounds} rounds of {seconds:g} s by {client}; {machine}."
    return f"{heading}\n\n{markdown_table(headings, rows)}\n\n{rest}"


class Bodies:
    """Request bodies: ten movies, or one movie's rating, for random known users.

    Args:
        url: URL of a service, whose users and movies are used.
    """

    def __init__(self, url: str, count: int = 2_000) -> None:
        draw = random.Random(0)  # noqa: S311 not for secrets
        users = [each["user_id"] for each in httpx.get(f"{url}/users?limit=500").json()["items"]]
        movies = [each["movie_id"] for each in httpx.get(f"{url}/popular").json()["items"]]
        self._recommend = [{"user_id": draw.choice(users), "k": 10} for _ in range(count)]
        self._rate = [{"user_id": draw.choice(users), "movie_id": draw.choice(movies)} for _ in range(count)]

    def of(self, path: str) -> Sequence[object]:
        """Return the bodies for a path, as JSON values."""
        return self._recommend if path == "/recommend" else self._rate


def _row(path: str, connections: int, name: str, runs: dict[str, list[Run]]) -> list[str]:
    own, base = runs[name], runs["no-op"]
    ratios = [ours.per_second / theirs.per_second for ours, theirs in zip(own, base, strict=True)]
    cpu = [theirs.cpu_us / ours.cpu_us for ours, theirs in zip(own, base, strict=True)]
    return [
        path,
        str(connections),
        name,
        f"{_median(own, lambda run: run.per_second):,.0f}",
        f"{median(ratios):.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        f"{_median(own, lambda run: run.cpu_us):.0f}",
        f"{median(cpu):.2f}",
        f"{_median(own, lambda run: run.p50_ms):.2f}",
        f"{_median(own, lambda run: run.p99_ms):.2f}",
    ]


def _median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(of(run) for run in runs)


def _rest(servers: dict[str, MeasuredServer], artifacts: Path, bodies: Bodies, seconds: float) -> str:
    """Measure an open loop at half the capacity, two workers relative to one, memory and start time."""
    service, requests = servers["annoy"], bodies.of("/recommend")
    most = run_closed(service, "/recommend", requests, connections=CONNECTIONS, seconds=seconds).per_second
    load = Load(service.port, requests, connections=64, per_second=most / 2)
    time.sleep(3 * seconds)
    samples = [each for each in load.stop() if each.status == 200]
    p50, p99 = percentile(samples, 0.5), percentile(samples, 0.99)
    with MeasuredServer.service(artifacts, SERVICES["annoy"] | {"MATINEE_WORKERS": "2"}) as two:
        # Each of the 32 connections stays with one worker.
        run_closed(two, "/recommend", requests, connections=2 * CONNECTIONS, seconds=seconds)
        ratios = []
        for _ in range(3):
            runs = [
                run_closed(server, "/recommend", requests, connections=2 * CONNECTIONS, seconds=seconds)
                for server in (service, two)
            ]
            ratios.append(runs[1].per_second / runs[0].per_second)
    rows = [
        [
            "p99 over p50 at half of the most, open loop",
            f"{p99 / p50:.1f}",
            f"{1000 * p99:.1f} / {1000 * p50:.1f} ms",
        ],
        [
            "two workers over one",
            f"{median(ratios[1:]):.2f}",
            f"{min(ratios[1:]):.2f} to {max(ratios[1:]):.2f}",
        ],
        ["resident memory of one worker", f"{service.resident_mib():.0f} MiB", "after all of the above"],
        ["process start to ready", f"{service.start_seconds:.1f} s", ""],
    ]
    return markdown_table(["annoy:", "measured", "of:"], rows)


if __name__ == "__main__":
    main()
