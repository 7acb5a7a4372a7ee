"""Lists a second by `training score`, relative to what one worker of the service gives over HTTP.

    python -m benchmarks.scoring --artifacts artifacts --page docs/scale.md

Starts the service with several settings and loads it, a user a request, 16 connections; then scores the same
users again and again into a Parquet file, as `training score` does, in as many threads as there are cores.
Both in turns, so that other load of the machine affects both: ratios are of the runs of one round.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# As the command does, and before NumPy is imported: each thread multiplies matrices by itself.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.closed_loop import Run, run_closed
from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table, run_benchmark
from service.bundle.current import read_current
from training.scoring.list_scorer import ListScorer
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringPlan, Threads, score_users

CONNECTIONS = 16
MARK = "benchmarks.scoring"
LENGTHS = (10, 100)
SERVICES = {
    "as it is set": {},
    "exact": {"MATINEE_INDEX": "exact"},
    "exact, no user cache": {"MATINEE_INDEX": "exact", "MATINEE_CACHED_USERS": "0"},
}
_LISTS = 40_000


@dataclass(frozen=True)
class Scored:
    """One run of scoring.

    Attributes:
        per_second: Lists a second, from the first user to the whole file.
        cpu_us: Processor time of a list, in microseconds.
    """

    per_second: float
    cpu_us: float


def main() -> None:
    """Print the table, and write it into a page."""
    run_benchmark("Lists a second by scoring over those by HTTP.", MARK, measure, seconds=3)


def measure(artifacts: Path, rounds: int, seconds: float) -> str:
    """Measure; return the table as Markdown."""
    threads = len(os.sched_getaffinity(0))
    started = time.perf_counter()
    bundle = ScoredBundle.open(read_current(artifacts).absolute())
    scorers = {k: ListScorer(bundle, k=k, threads=threads) for k in LENGTHS}
    opened_seconds = time.perf_counter() - started
    rows = []
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(MeasuredServer.service(artifacts, settings | {"MATINEE_STORE": "off"}))
            for name, settings in SERVICES.items()
        }
        for k in LENGTHS:
            bodies = _bodies(bundle, k)
            _score(bundle, scorers[k], k, threads)
            for server in servers.values():
                run_closed(server, "/recommend", bodies, connections=CONNECTIONS, seconds=1)
            scored: list[Scored] = []
            served: dict[str, list[Run]] = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    served[name].append(
                        run_closed(server, "/recommend", bodies, connections=CONNECTIONS, seconds=seconds)
                    )
                scored.append(_score(bundle, scorers[k], k, threads))
            rows += [_row(k, name, scored, runs) for name, runs in served.items()]
    headings = ["k", "the service:", "lists/s over HTTP", "scored/s", "ratio, median", "least to most"]
    headings += ["CPU us a list over HTTP", "scored", "ratio, median"]
    machine = format_machine(describe_machine(["tensorflow-cpu", "numpy", "pyarrow"]))
    heading = (
        f"{rounds} rounds of {seconds:g} s by one worker and of {_LISTS:,} lists by {threads} threads, of "
        f"{len(bundle.histories):,} users and {len(bundle.catalogue):,} movies, after {opened_seconds:.1f} s "
        f"to open the bundle; {machine}."
    )
    return f"{heading}\n\n{markdown_table(headings, rows)}"


def _bodies(bundle: ScoredBundle, k: int, count: int = 2_000) -> Sequence[object]:
    draw = random.Random(0)  # noqa: S311 not for secrets
    users = len(bundle.histories)
    return [{"user_id": bundle.histories.user_id_of(draw.randrange(users)), "k": k} for _ in range(count)]


def _score(bundle: ScoredBundle, scorer: ListScorer, k: int, threads: int) -> Scored:
    users = np.resize(np.arange(len(bundle.histories)), _LISTS)
    with tempfile.TemporaryDirectory() as directory:
        started, processor_started = time.perf_counter(), time.process_time()
        score_users(
            bundle,
            users,
            Path(directory) / "lists.parquet",
            ScoringPlan(k=k),
            Threads(scorer, bundle, threads),
        )
        seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_started
    return Scored(len(users) / seconds, 1e6 * processor_seconds / len(users))


def _row(k: int, name: str, scored: Sequence[Scored], served: Sequence[Run]) -> list[str]:
    ratios = [ours.per_second / theirs.per_second for ours, theirs in zip(scored, served, strict=True)]
    return [
        str(k),
        name,
        f"{median(run.per_second for run in served):,.0f}",
        f"{median(run.per_second for run in scored):,.0f}",
        f"{median(ratios):.1f}",
        f"{min(ratios):.1f} to {max(ratios):.1f}",
        f"{median(run.cpu_us for run in served):.0f}",
        f"{median(run.cpu_us for run in scored):.0f}",
        f"{median(theirs.cpu_us / ours.cpu_us for ours, theirs in zip(scored, served, strict=True)):.1f}",
    ]


if __name__ == "__main__":
    main()
