"""The same bundle behind BentoML, LitServe, mosec and Ray Serve, in one sitting with ours.

    python -m benchmarks.serving_frameworks --bundle artifacts/BUNDLE_ID --page docs/performance.md

Each gets an environment of its own from `requirements/serving/`, one worker, and batches as its documentation
says (`benchmarks/serving/`). With `--work plain` it calls TensorFlow and Annoy as somebody would who has the
bundle and not this service; with `--work recommender` the service's own recommender. All are started, then
driven in turns by wrk (Debian and Ubuntu: apt-get install wrk), several rounds.

Processor time is that of all processes of a server. On a machine with other work it is what compares best:
servers of several processes get more of a contended processor than those of one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.machine import describe_machine, load_average, say_machine
from benchmarks.page import markdown_table, replace_between
from benchmarks.serving.work import BUNDLE_VARIABLE, WORK_VARIABLE
from service.bundle import HISTORY_ARRAYS

MARK = "serving frameworks"
_REPOSITORY = Path(__file__).parents[1]
_LUA = _REPOSITORY / "benchmarks" / "serving" / "requests.lua"


@dataclass(frozen=True)
class Server:
    """How one server is started and asked.

    Attributes:
        name: Of its requirements file too.
        distribution: What its version is the version of.
        command: After its environment's Python, `{port}` replaced.
        path: Where it answers.
        body: JSON, `%s` is the user.
    """

    name: str
    distribution: str
    command: tuple[str, ...]
    path: str
    body: str = '{"user_id": "%s"}'


@dataclass(frozen=True)
class Address:
    """Where a running server answers, and its first process."""

    url: str
    process: int


OURS = Server("matinee", "fastapi", ("-m", "service"), "/recommend", '{"user_id": "%s", "k": 10}')
FRAMEWORKS = (
    Server(
        "bentoml",
        "bentoml",
        (
            "-m",
            "bentoml",
            "serve",
            "benchmarks.serving.bentoml_server:Recommend",
            "--host",
            "127.0.0.1",
            "--port",
            "{port}",
        ),
        "/recommend",
        '{"user_ids": ["%s"]}',
    ),
    Server("litserve", "litserve", ("-m", "benchmarks.serving.litserve_server", "{port}"), "/predict"),
    Server("mosec", "mosec", ("-m", "benchmarks.serving.mosec_server", "--port", "{port}"), "/inference"),
    Server("ray", "ray", ("-m", "benchmarks.serving.ray_server", "{port}"), "/"),
)


def main() -> None:
    """Measures, prints the table, and writes it where asked."""
    parser = argparse.ArgumentParser(description="Requests/s of serving frameworks beside ours.")
    parser.add_argument("--bundle", type=Path, required=True, help="in its artifacts directory")
    parser.add_argument("--environments", type=Path, default=Path(".venv-serving"), help="made where missing")
    parser.add_argument("--only", nargs="*", choices=[each.name for each in FRAMEWORKS])
    parser.add_argument(
        "--work", choices=["plain", "recommender"], default="plain", help="what the frameworks call"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--port", type=int, default=8950, help="the first of several")
    parser.add_argument("--start-seconds", type=float, default=180)
    parser.add_argument("--page", type=Path, help="whose table to replace")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("serving_frameworks: expected wrk on the path (Debian and Ubuntu: apt-get install wrk)")
    chosen = [each for each in FRAMEWORKS if arguments.only is None or each.name in arguments.only]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        users = folder / "users"
        users.write_text("\n".join(_user_ids(arguments.bundle)) + "\n", encoding="utf-8")
        running: dict[Server, Address] = {}
        failed: dict[str, str] = {}
        for number, server in enumerate([OURS, *chosen]):
            try:
                python = sys.executable if server is OURS else _environment(server, arguments.environments)
                port = arguments.port + number
                running[server] = stack.enter_context(_started(server, python, arguments, port, folder))
            except (RuntimeError, subprocess.CalledProcessError) as error:
                if server is OURS:
                    raise
                failed[server.name] = str(error)
                sys.stderr.write(f"{server.name}: {error}\n")
        rounds = [
            {server.name: _drive(server, at, users, arguments) for server, at in running.items()}
            for _ in range(arguments.rounds)
        ]
    table = _table(running, rounds, failed, arguments)
    sys.stdout.write(f"{table}\n")
    if arguments.page is not None:
        replace_between(arguments.page, f"{MARK}, {arguments.work}", table)


def _user_ids(bundle: Path) -> list[str]:
    text = np.load(bundle / HISTORY_ARRAYS["user_id_bytes"]).tobytes()
    offsets = np.load(bundle / HISTORY_ARRAYS["user_id_offsets"])
    return [text[begin:end].decode() for begin, end in pairwise(offsets.tolist())]


def _environment(server: Server, environments: Path) -> str:
    """The Python of the framework's own environment, which is made where it is missing."""
    python = environments / server.name / "bin" / "python"
    if not python.exists():
        sys.stderr.write(f"{server.name}: install its packages ...\n")
        requirements = _REPOSITORY / "requirements" / "serving" / f"{server.name}.txt"
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)  # noqa: S603  # ours
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], check=True)  # noqa: S603  # ours
    return str(python.absolute())


@contextmanager
def _started(
    server: Server, python: str, arguments: argparse.Namespace, port: int, folder: Path
) -> Iterator[Address]:
    """Starts a server in a session of its own and yields its address once it has answered rightly.

    Raises:
        RuntimeError: It did not within `--start-seconds`; the message ends with its last lines.
    """
    bundle = arguments.bundle.absolute()
    environment = os.environ | {
        BUNDLE_VARIABLE: str(bundle),
        WORK_VARIABLE: arguments.work,
        "MATINEE_ARTIFACTS": str(bundle.parent),
        "MATINEE_PORT": str(port),
        "TF_NUM_INTRAOP_THREADS": "1",  # as our service has it
        "TF_NUM_INTEROP_THREADS": "1",
        "PYTHONPATH": str(_REPOSITORY),
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    command = [python, *(part.format(port=port) for part in server.command)]
    log = folder / f"{server.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # ours
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}{server.path}"
        deadline = time.monotonic() + arguments.start_seconds
        while not _answers(server, url):
            if time.monotonic() > deadline or process.poll() is not None:
                last = log.read_text(encoding="utf-8", errors="replace")[-1_500:]
                raise RuntimeError(f"did not answer within {arguments.start_seconds:g} s:\n{last}")
            time.sleep(0.5)
        sys.stderr.write(f"{server.name}: answers\n")
        yield Address(url, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(server: Server, url: str) -> bool:
    """Whether it answers with ten movies for a known user.

    Raises:
        RuntimeError: It answers with something else.
    """
    headers = {"Content-Type": "application/json"}
    try:
        response = httpx.post(url, content=server.body.replace("%s", "42"), headers=headers, timeout=30)
    except httpx.TransportError:
        return False
    if response.status_code in (404, 500, 502, 503):
        return False
    document = response.json()
    answer = document[0] if isinstance(document, list) else document
    items = answer.get("items", [])
    if len(items) != 10 or not all({"title", "score", "predicted_rating"} <= item.keys() for item in items):
        raise RuntimeError(f"expected ten movies with titles and ratings, got {response.text[:300]}")
    return True


def _drive(server: Server, at: Address, users: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Warms up for a fifth of the time, then measures."""
    cpu_began = 0.0
    for seconds in (max(arguments.seconds // 5, 1), arguments.seconds):
        cpu_began = _cpu_seconds(at.process)
        command = ["wrk", "-t1", f"-c{arguments.connections}", f"-d{seconds}s", "--timeout", "30s"]
        ended = subprocess.run(  # noqa: S603  # ours
            [*command, "-s", str(_LUA), at.url, "--", str(users), server.body],
            check=True,
            capture_output=True,
            text=True,
        )
    measured: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    measured["rate"] = (measured["requests"] - measured["errors"]) / measured["seconds"]
    measured["cpu_ms"] = 1000 * (_cpu_seconds(at.process) - cpu_began) / max(measured["requests"], 1)
    sys.stderr.write(f"{server.name}: {measured}, load average {load_average()}\n")
    return measured


def _cpu_seconds(process: int) -> float:
    """Of a process, all of its session, and all that these started, so far (Linux)."""
    parents, sessions, ticks = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything; then come proc(5)'s fields from the third on.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        pid = int(path.parent.name)
        parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
        ticks[pid] = int(fields[11]) + int(fields[12])

    def belongs(pid: int) -> bool:
        return sessions.get(pid) == process or (pid in parents and belongs(parents[pid]))

    return sum(ticks[pid] for pid in ticks if belongs(pid)) / os.sysconf("SC_CLK_TCK")


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
                f"{server.name} {_version(server, arguments)}",
                f"{statistics.median(each['rate'] for each in mine):,.0f}",
                f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
                f"{statistics.median(each['cpu_ms'] for each in mine):.2f}",
                f"{statistics.median(each['p50_ms'] for each in mine):.1f}",
                f"{statistics.median(each['p99_ms'] for each in mine):.1f}",
                f"{sum(each['errors'] for each in mine)}",
                f"`python {' '.join(server.command).format(port='PORT')}`",
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
    missing = "".join(f" {name} did not start here." for name in failed)
    machine = say_machine(describe_machine(["tensorflow-cpu", "annoy", "numpy"]))
    return (
        f"`python -m benchmarks.serving_frameworks --work {arguments.work}`, bundle "
        f"{arguments.bundle.name}, one worker each, "
        f"{arguments.connections} connections, medians of {arguments.rounds} rounds of "
        f"{arguments.seconds} s in turns, {machine}.{missing}\n\n{markdown_table(headings, rows)}"
    )


def _version(server: Server, arguments: argparse.Namespace) -> str:
    if server is OURS:
        return "(this service)"
    code = f"from importlib.metadata import version; print(version({server.distribution!r}))"
    python = str(arguments.environments / server.name / "bin" / "python")
    ended = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603  # ours
    return ended.stdout.strip()


if __name__ == "__main__":
    main()
