"""Load a running server with wrk, and measure its processor time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import load_average
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
    """Return the processor time of a process, its session and their descendants (Linux)."""
    parents, sessions, ticks = {}, {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may contain anything; then come proc(5)'s fields from the third on.
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # the process ended
            continue
        pid = int(path.parent.name)
        parents[pid], sessions[pid] = int(fields[1]), int(fields[3])
        ticks[pid] = int(fields[11]) + int(fields[12])

    def belongs(pid: int) -> bool:
        return sessions.get(pid) == process or (pid in parents and belongs(parents[pid]))

    return sum(ticks[pid] for pid in ticks if belongs(pid)) / os.sysconf("SC_CLK_TCK")
