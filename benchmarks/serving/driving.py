"""Load a running server with wrk, and measure its processor time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import load_average
from benchmarks.serving.process_tree import processor_ticks
from benchmarks.serving.servers import Address, Server

_LUA = Path(__file__).parent / "requests.lua"


def drive(server: Server, at: Address, users: Path, *, connections: int, seconds: int) -> dict[str, Any]:
    """Warm up for a fifth of the time, then measure.

    Args:
        server: The server.
        at: Its address.
        users: File with a user id per line.
        connections: Number of connections.
        seconds: Duration of the measurement.

    Returns:
        What `requests.lua` prints, `rate` of good answers per second, and `cpu_ms` per request.
    """
    cpu_began = 0.0
    for run_seconds in (max(seconds // 5, 1), seconds):
        cpu_began = _cpu_seconds(at.process)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{run_seconds}s", "--timeout", "30s"]
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
    return sum(processor_ticks(process).values()) / os.sysconf("SC_CLK_TCK")
