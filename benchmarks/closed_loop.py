"""Closed-loop load: connections that send the next request after each answer, by wrk if it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured_server import MeasuredServer
from benchmarks.socket_load import Load, percentile

_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class Run:
    """Measurements of one run.

    Attributes:
        per_second: Good answers per second.
        cpu_us: Processor time of the server per good answer, in microseconds.
        p50_ms, p99_ms: Latencies.
    """

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float


def run_closed(
    server: MeasuredServer, path: str, bodies: Sequence[object], *, connections: int, seconds: float
) -> Run:
    """Load one server and measure it.

    Raises:
        SystemExit: An answer was an error, which would make the server look fast.
    """
    before = server.cpu_seconds()
    drive = _by_wrk if shutil.which("wrk") else _by_sockets
    answers, elapsed_seconds, p50_ms, p99_ms = drive(server, path, bodies, connections, seconds)
    cpu_us = 1e6 * (server.cpu_seconds() - before) / answers
    return Run(answers / elapsed_seconds, cpu_us, p50_ms, p99_ms)


def _by_wrk(
    server: MeasuredServer, path: str, bodies: Sequence[object], connections: int, seconds: float
) -> tuple[int, float, float, float]:
    requests = ",\n".join(json.dumps(json.dumps(body)) for body in bodies)
    # Bodies are ASCII JSON, whose strings are valid in Lua too.
    script = (
        f"local bodies = {{{requests}}}\nlocal at = 0\n"
        "function request()\n  at = at % #bodies + 1\n"
        f'  return wrk.format("POST", "{path}", {{["Content-Type"] = "application/json"}}, bodies[at])\nend\n'
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="ascii") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency"]
        command += ["-s", str(Path(file.name)), server.url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 our own
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"{server.url}{path}: expected answers, got errors:\n{said}")
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)\b", said)
    assert done  # noqa: S101 wrk prints it
    p50_ms, p99_ms = (_percentile_ms(said, share) for share in ("50", "99"))
    return int(done[1]), float(done[2]) * (60 if done[3] == "m" else 1), p50_ms, p99_ms


def _percentile_ms(said: str, share: str) -> float:
    found = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s)$", said, re.MULTILINE)
    assert found  # noqa: S101 wrk prints it with --latency
    return float(found[1]) * _UNITS_MS[found[2]]


def _by_sockets(
    server: MeasuredServer, path: str, bodies: Sequence[object], connections: int, seconds: float
) -> tuple[int, float, float, float]:
    load = Load(server.port, bodies, connections=connections, path=path)
    started = time.monotonic()
    time.sleep(seconds)
    samples = load.stop()
    elapsed_seconds = time.monotonic() - started
    if failed := [each.status for each in samples if each.status != 200]:
        raise SystemExit(
            f"{server.url}{path}: expected answers, got {len(failed)} errors, such as {failed[0]}"
        )
    return len(samples), elapsed_seconds, 1000 * percentile(samples, 0.5), 1000 * percentile(samples, 0.99)
