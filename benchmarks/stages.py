"""Time per stage of a request, from the service's own metrics, also of other checkouts.

    git worktree add ../before COMMIT
    (cd ../before && python -m training fit --artifacts ../before-artifacts)
    python -m benchmarks.stages --beside before ../before ../before-artifacts --page docs/performance.md

Each server is loaded as by `benchmarks.overhead`; `matinee_stage_seconds` is read before and after. The rest
of the processor time is HTTP: parsing, validation, routing, waking, logging, metrics, sending.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.closed_loop import run_closed
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.overhead.bodies import CONNECTIONS, Bodies
from benchmarks.page import markdown_table, replace_between

MARK = "benchmarks.stages"
STAGES = {
    "history": "user and filters",
    "embed": "query tower",
    "index": "Annoy, or a scan",
    "rescore": "exact scores, sorting",
    "rating": "rating head",
    "encode": "JSON",
}


@dataclass(frozen=True)
class Profile:
    """Microseconds per request of one run: of each stage, and of processor time."""

    stages: Mapping[str, float]
    cpu_us: float
    batch_size: float


def main() -> None:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument(
        "--beside", nargs=3, metavar=("NAME", "CHECKOUT", "ARTIFACTS"), action="append", default=[]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="seconds of each run")
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(MeasuredServer.service(Path(artifacts), {}, Path(code)))
            for name, code, artifacts in arguments.beside
        }
        for name, settings in (
            ("now, no user cache", {"MATINEE_CACHED_USERS": "0"}),
            ("now", {}),
            ("now, exact", {"MATINEE_INDEX": "exact"}),
        ):
            servers[name] = stack.enter_context(MeasuredServer.service(arguments.artifacts, settings))
        table = measure(servers, arguments.rounds, arguments.seconds)
    sys.stdout.write(f"{table}\n")
    if arguments.page:
        replace_between(arguments.page, MARK, table)


def measure(servers: Mapping[str, MeasuredServer], rounds: int, seconds: float) -> str:
    """Measure; return each server's fastest round as a Markdown table."""
    bodies = Bodies(next(iter(servers.values())).url).of("known user")
    best: dict[str, Profile] = {}
    for _ in range(rounds + 1):  # the first is a warm-up, rarely the fastest
        for name, server in servers.items():
            profile = _profile(server, bodies, seconds)
            if name not in best or profile.cpu_us < best[name].cpu_us:
                best[name] = profile
    rows = [
        [f"{stage}: {meaning}", *(f"{best[name].stages.get(stage, 0):.0f}" for name in servers)]
        for stage, meaning in STAGES.items()
    ]
    rest = [profile.cpu_us - sum(profile.stages.values()) for profile in best.values()]
    rows.append(["the rest: HTTP", *(f"{each:.0f}" for each in rest)])
    rows.append(["processor time of a request", *(f"{each.cpu_us:.0f}" for each in best.values())])
    rows.append(["requests in a batch", *(f"{each.batch_size:.1f}" for each in best.values())])
    machine = format_machine(describe_machine(["fastapi", "uvicorn", "annoy", "numpy"]))
    heading = f"Microseconds, fastest of {rounds + 1} rounds of {seconds:g} s, {CONNECTIONS} connections"
    return f"{heading}; {machine}.\n\n{markdown_table(['stage:', *servers], rows)}"


def _profile(server: MeasuredServer, bodies: Sequence[object], seconds: float) -> Profile:
    before = _sums(server)
    run = run_closed(server, "/recommend", bodies, connections=CONNECTIONS, seconds=seconds)
    spent = {name: value - before.get(name, 0.0) for name, value in _sums(server).items()}
    requests, batches = spent.pop("requests"), spent.pop("batches")
    stages = {stage: 1e6 * value / requests for stage, value in spent.items()}
    return Profile(stages, run.cpu_us, requests / batches)


def _sums(server: MeasuredServer) -> dict[str, float]:
    """Read the counters: seconds by stage, and `requests` and `batches`."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(httpx.get(f"{server.url}/metrics").text):
        for sample in family.samples:
            if sample.name == "matinee_stage_seconds_sum":
                sums[sample.labels["stage"]] = sample.value
            if sample.labels.get("endpoint") == "recommend":
                if sample.name == "matinee_batch_size_sum":
                    sums["requests"] = sample.value
                if sample.name == "matinee_batch_size_count":
                    sums["batches"] = sample.value
    return sums


if __name__ == "__main__":
    main()
