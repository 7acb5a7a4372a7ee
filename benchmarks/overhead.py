"""How near the service comes to an endpoint of the same framework that does nothing.

    python -m benchmarks.overhead --artifacts artifacts --page docs/performance.md

Starts `benchmarks.no_op` and the service in several settings, and drives them in turns, so that whatever
else the machine does falls on all of them: ratios are of the runs of one round. wrk makes the closed loops
where it is installed, else `benchmarks.socket_load`, which makes the open ones.
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
from benchmarks.machine import describe_machine, say_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table, run_command
from benchmarks.socket_load import Load, percentile

CONNECTIONS = 16
MARK = "benchmarks.overhead"
SERVICES = {
    "annoy": {"MATINEE_INDEX": "annoy"},
    "exact": {"MATINEE_INDEX": "exact"},
    "annoy, nobody remembered": {"MATINEE_INDEX": "annoy", "MATINEE_CACHED_USERS": "0"},
    "exact, nobody remembered": {"MATINEE_INDEX": "exact", "MATINEE_CACHED_USERS": "0"},
}


def main() -> None:
    """Prints tables, and writes them into a page."""
    run_command("The service beside an endpoint that does nothing.", MARK, measure, seconds=3)


def measure(artifacts: Path, rounds: int, seconds: float) -> str:
    """All tables, as Markdown."""
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
            asked = list(servers) if path == "/recommend" else ["no-op", "annoy", "annoy, nobody remembered"]
            runs: dict[str, list[Run]] = {name: [] for name in asked}
            for _ in range(rounds):
                for name in asked:
                    runs[name].append(
                        run_closed(
                            servers[name], path, bodies.of(path), connections=connections, seconds=seconds
                        )
                    )
            rows += [_row(path, connections, name, runs) for name in asked]
        rest = _rest(servers, artifacts, bodies, seconds)
    headings = ["path:", "connections", "server:", "requests/s", "of the no-op's, median", "least to most"]
    headings += ["CPU us a request", "no-op's CPU over it", "p50 ms", "p99 ms"]
    client = "wrk" if shutil.which("wrk") else "benchmarks.socket_load"
    machine = say_machine(describe_machine(["fastapi", "uvicorn", "annoy", "numpy"]))
    said = f"{rounds} rounds of {seconds:g} s by {client}; {machine}."
    return f"{said}\n\n{markdown_table(headings, rows)}\n\n{rest}"


class Bodies:
    """What is asked: known users at random, ten movies each, or one movie's stars; by a seed.

    Args:
        url: Of a service whose users and movies are asked for.
    """

    def __init__(self, url: str, count: int = 2_000) -> None:
        draw = random.Random(0)  # noqa: S311 not for secrets
        users = [each["user_id"] for each in httpx.get(f"{url}/users?limit=500").json()["items"]]
        movies = [each["movie_id"] for each in httpx.get(f"{url}/popular").json()["items"]]
        self._recommend = [{"user_id": draw.choice(users), "k": 10} for _ in range(count)]
        self._rate = [{"user_id": draw.choice(users), "movie_id": draw.choice(movies)} for _ in range(count)]

    def of(self, path: str) -> Sequence[object]:
        """JSON values to send there."""
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
    """Open loop at half of the most, two workers beside one, memory and start, of the service as it comes."""
    service, asked = servers["annoy"], bodies.of("/recommend")
    most = run_closed(service, "/recommend", asked, connections=CONNECTIONS, seconds=seconds).per_second
    load = Load(service.port, asked, connections=64, per_second=most / 2)
    time.sleep(3 * seconds)
    samples = [each for each in load.stop() if each.status == 200]
    p50, p99 = percentile(samples, 0.5), percentile(samples, 0.99)
    with MeasuredServer.service(artifacts, SERVICES["annoy"] | {"MATINEE_WORKERS": "2"}) as two:
        # Each of 32 connections stays with the worker that took it.
        run_closed(two, "/recommend", asked, connections=2 * CONNECTIONS, seconds=seconds)
        ratios = []
        for _ in range(3):
            runs = [
                run_closed(server, "/recommend", asked, connections=2 * CONNECTIONS, seconds=seconds)
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
