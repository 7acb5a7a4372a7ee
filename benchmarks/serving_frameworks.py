"""Throughput of the service and of BentoML, LitServe, mosec and Ray Serve with the same bundle.

    python -m benchmarks.serving_frameworks --bundle artifacts/BUNDLE_ID --page docs/performance.md

Each framework has its own environment from `requirements/serving/`, as many workers as `--workers` says, and
batches, both as its documentation says (`benchmarks/serving/`). With `--work plain` it calls numpy and Annoy
directly, with `--work recommender` the service's own recommender. All are started, then loaded in turns by
wrk (Debian and Ubuntu: apt-get install wrk), several rounds.

Processor time is of all processes of a server. It compares best on a machine with other load, where servers
of several processes get a larger share of the processor than those of one.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, format_machine
from benchmarks.page import markdown_table, replace_between
from benchmarks.serving.driving import drive
from benchmarks.serving.servers import (
    FRAMEWORKS,
    OURS,
    OURS_UNCACHED,
    Address,
    Server,
    python_of,
    started,
    version_of,
)
from service.bundle.histories import Histories
from service.bundle.manifest import read_manifest


def main() -> None:
    """Measure, print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description="Requests/s of serving frameworks beside ours.")
    parser.add_argument("--bundle", type=Path, required=True, help="inside its artifacts directory")
    parser.add_argument("--environments", type=Path, default=Path(".venv-serving"), help="created if missing")
    parser.add_argument("--only", nargs="*", choices=[each.name for each in FRAMEWORKS])
    parser.add_argument(
        "--work", choices=["plain", "recommender"], default="plain", help="code that the frameworks call"
    )
    parser.add_argument("--workers", type=int, default=2, help="worker processes of each server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--port", type=int, default=8950, help="first of several ports")
    parser.add_argument("--start-seconds", type=float, default=180)
    parser.add_argument("--page", type=Path, help="page whose table is replaced")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("serving_frameworks: expected wrk on PATH, got none; install it (apt-get install wrk)")
    chosen = [each for each in FRAMEWORKS if arguments.only is None or each.name in arguments.only]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        users = folder / "users"
        users.write_text("\n".join(_user_ids(arguments.bundle)) + "\n", encoding="utf-8")
        running: dict[Server, Address] = {}
        failed: dict[str, str] = {}
        for number, server in enumerate([OURS, OURS_UNCACHED, *chosen]):
            try:
                start = started(
                    server,
                    python_of(server, arguments.environments),
                    arguments.bundle,
                    work=arguments.work,
                    workers=arguments.workers,
                    port=arguments.port + number,
                    log=folder / f"{server.name}.log",
                    seconds=arguments.start_seconds,
                )
                running[server] = stack.enter_context(start)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                if server.is_ours:
                    raise
                failed[server.name] = str(error)
                sys.stderr.write(f"{server.name}: {error}\n")
        rounds = [
            {
                server.name: drive(
                    server, at, users, connections=arguments.connections, seconds=arguments.seconds
                )
                for server, at in running.items()
            }
            for _ in range(arguments.rounds)
        ]
    table = _table(running, rounds, failed, arguments)
    sys.stdout.write(f"{table}\n")
    if arguments.page is not None:
        replace_between(arguments.page, mark_of(arguments.work), table)


def mark_of(work: str) -> str:
    """The mark of a table, see `replace_between`."""
    return f"serving frameworks, {work}"


def _format_command(server: Server) -> str:
    variables = [f"{name}={value}" for name, value in server.environment]
    return " ".join([*variables, "python", *server.command]).format(port="PORT")


def _user_ids(bundle: Path) -> list[str]:
    histories = Histories.open(bundle, read_manifest(bundle).index.candidates)
    return [histories.user_id_of(row) for row in range(len(histories))]


def _table(
    running: dict[Server, Address],
    rounds: list[dict[str, dict[str, Any]]],
    failed: dict[str, str],
    arguments: argparse.Namespace,
) -> str:
    rows = []
    for server in running:
        mine = [each[server.name] for each in rounds]
        ratios = [each[server.name]["rate"] / each[OURS.name]["rate"] for each in rounds]
        rows.append(
            [
                f"{server.name} {version_of(server, arguments.environments)}",
                f"{statistics.median(each['rate'] for each in mine):,.0f}",
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                f"{statistics.median(each['cpu_ms'] for each in mine):.2f}",
                f"{statistics.median(each['p50_ms'] for each in mine):.1f}",
                f"{statistics.median(each['p99_ms'] for each in mine):.1f}",
                f"{sum(each['errors'] for each in mine)}",
                f"`{_format_command(server)}`",
            ]
        )
    rows.sort(key=lambda row: -float(row[1].replace(",", "")))
    headings = [
        "server:",
        "requests/s",
        "against ours",
        "processor ms a request",
        "p50, ms",
        "p99, ms",
        "errors",
        "command:",
    ]
    missing = "".join(f" {name} did not start." for name in failed)
    workers = "1 worker" if arguments.workers == 1 else f"{arguments.workers} workers"
    machine = format_machine(describe_machine(["tensorflow-cpu", "annoy", "numpy"]))
    return (
        f"`python -m benchmarks.serving_frameworks --work {arguments.work} --workers {arguments.workers}`, "
        f"bundle {arguments.bundle.name}, {workers} each, "
        f"{arguments.connections} connections, medians of {arguments.rounds} rounds of "
        f"{arguments.seconds} s in turns, {machine}.{missing}\n\n{markdown_table(headings, rows)}"
    )


if __name__ == "__main__":
    main()
