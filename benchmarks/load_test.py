"""Load test of a running service over HTTP, with httpx.

    python -m benchmarks.load_test http://127.0.0.1:8000 --connections 16 --seconds 20
    python -m benchmarks.load_test http://127.0.0.1:8000 --rate 300 --p99-ms 50 --max-error-rate 0.001

Without `--rate` each connection sends the next request after each answer (closed loop): that measures the
capacity. With it requests arrive at a fixed rate regardless of the answers (open loop), and a latency counts
from when the request was due, so that a stall counts for every request due in it. See docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks.load.inventory import Inventory
from benchmarks.load.objectives import Objectives
from benchmarks.load.plan import KINDS, Plan
from benchmarks.load.progress import Progress
from benchmarks.load.report import show, write_report
from benchmarks.load.run import ClientDied, run
from benchmarks.load.summary import summarise
from benchmarks.machine import describe_machine, load_average
from matinee_client import MatineeClient
from matinee_client.answer_errors import AnswerError

MISSED, NOT_MEASURED = 1, 2
"""Exit codes; argparse exits with 2 too."""

_INTERRUPTED = 130

_WIDTH = 120
"""Width of the table if the output is not a terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Run the load test and report.

    Returns:
        0; `MISSED` if an objective is missed; `NOT_MEASURED` if the service does not answer.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    # With --json standard output has only the JSON, and everything for people goes to standard error.
    console = Console(stderr=given.json, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH
    try:
        plan = Plan(
            **{name: getattr(given, name) for name in Plan.__dataclass_fields__ if name != "mix"},
            mix=given.mix,
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        with MatineeClient(plan.url, api_key=plan.api_key) as client:
            inventory = Inventory.of(client)
        machine = describe_machine(["httpx"])
        with Progress(plan, console) as progress:
            samples = run(plan, inventory, progress.tick)
    except (httpx.HTTPError, httpx.InvalidURL, AnswerError) as error:
        console.print(f"load_test: {plan.url} cannot be measured: {error!r}", markup=False)
        return NOT_MEASURED
    except ClientDied as error:
        console.print(f"load_test: {error}", markup=False)
        return NOT_MEASURED
    except KeyboardInterrupt:
        console.print("load_test: interrupted, nothing was measured")
        return _INTERRUPTED
    result = summarise(plan, samples)
    objectives = Objectives(p99_ms=given.p99_ms, max_error_rate=given.max_error_rate, min_rps=given.min_rps)
    missed = objectives.missed(result)
    document = {
        "plan": plan.to_document(),
        "bundle_id": inventory.bundle_id,
        "machine": machine | {"load_average_after": load_average()},
        **result,
        "missed": missed,
    }
    show(console, document)
    if given.json:
        sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    if given.out is not None:
        write_report(given.out, document, samples)
        console.print(f"written: {given.out}/", markup=False, highlight=False)
    return MISSED if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load_test",
        description="Rate, latencies and errors of a running service.",
        epilog="Exit code 1: an objective is missed. 2: nothing could be measured.",
    )
    parser.add_argument("url", help="such as http://127.0.0.1:8000")
    load = parser.add_argument_group("load")
    load.add_argument(
        "--connections", type=int, default=Plan.connections, metavar="N", help="connections in total"
    )
    load.add_argument("--processes", type=int, default=Plan.processes, metavar="N", help="client processes")
    load.add_argument("--rate", type=float, metavar="RPS", help="arrivals/s; a closed loop without it")
    load.add_argument("--warm-up-seconds", type=float, default=Plan.warm_up_seconds, metavar="S")
    load.add_argument("--seconds", type=float, default=Plan.seconds, metavar="S", help="measured time")
    load.add_argument("--timeout-seconds", type=float, default=Plan.timeout_seconds, metavar="S")
    load.add_argument(
        "--mix",
        type=_weights,
        default=Plan.mix,
        metavar=",".join(KINDS).upper(),
        help=f"weights of the kinds of requests, default {','.join(map(str, Plan.mix))}",
    )
    load.add_argument("--seed", type=int, default=Plan.seed, metavar="N", help="seed of the requests")
    load.add_argument(
        "--api-key", default=os.environ.get("MATINEE_API_KEY"), metavar="KEY", help="default $MATINEE_API_KEY"
    )
    objectives = parser.add_argument_group("objectives")
    objectives.add_argument("--p99-ms", type=float, metavar="MS", help="largest p99 latency of all kinds")
    objectives.add_argument("--max-error-rate", type=float, metavar="SHARE", help="such as 0.001")
    objectives.add_argument("--min-rps", type=float, metavar="RPS", help="good answers per second")
    output = parser.add_argument_group("output")
    output.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    output.add_argument(
        "--out", type=Path, metavar="DIRECTORY", help="write load_test.json, latency.png and latency.html"
    )
    return parser


def _weights(text: str) -> tuple[float, ...]:
    return tuple(float(weight) for weight in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
