"""Memory per worker process, and whether workers share the bundle's arrays.

    python -m benchmarks.worker_memory --artifacts artifacts

Starts the service with one, two and more workers, sends requests, and reads `/proc/PID/smaps` (Linux). PSS is
a process's memory with each shared page divided by the number of processes that share it, so the sum over all
processes is their total. *Private* is what a worker wrote to and does not share.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from benchmarks.machine import describe_machine, format_machine
from benchmarks.measured_server import MeasuredServer
from benchmarks.page import markdown_table

MIB = 2**20
_ARRAYS = (".npy", ".ann")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Memory by number of workers, as a table.")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    headings = ["workers", "RSS, each", "private, each", "PSS, all", "of it the supervisor"]
    headings += ["arrays: RSS, all", "PSS, all"]
    rows = [_measure(arguments.artifacts, count) for count in arguments.workers]
    machine = format_machine(describe_machine())
    sys.stdout.write(f"{machine}\n\n{markdown_table(headings, rows)}\n")


def _measure(artifacts: Path, workers: int) -> list[str]:
    settings = {"MATINEE_WORKERS": str(workers), "MATINEE_LOG_LEVEL": "error"}
    with MeasuredServer.service(artifacts, settings) as server:
        _warm_up(server.url, workers)
        serving = server.workers
        memory = {process: _memory(process) for process in (server.pid, *serving)}
    resident, private = (
        sum(memory[process][kind] for process in serving) / len(serving) for kind in ("Rss", "Private_Dirty")
    )
    proportional = sum(each["Pss"] for each in memory.values())
    supervisor = memory[server.pid]["Pss"]
    sizes = [f"{size / MIB:.0f} MiB" for size in (resident, private, proportional, supervisor)]
    arrays = (sum(each[f"arrays {kind}"] for each in memory.values()) for kind in ("Rss", "Pss"))
    return [str(workers), *sizes, *(f"{size / 1024:.0f} KiB" for size in arrays)]


def _warm_up(url: str, workers: int, *, seconds: float = 120) -> None:
    """Wait until every worker serves the bundle and has answered requests."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            served = re.search(
                r"^matinee_bundle_info\{.*\} (\S+)$", httpx.get(f"{url}/metrics").text, re.MULTILINE
            )
            if served and float(served[1]) == workers:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    else:
        raise SystemExit(f"{workers} workers were not ready within {seconds:g} s")
    for user in range(200):  # each on a new connection, so that every worker gets some
        httpx.get(f"{url}/recommend", params={"user_id": str(user)}).raise_for_status()


def _memory(process: int) -> Counter[str]:
    """Return `Rss`, `Pss` and `Private_Dirty` in bytes, in total and of the bundle's mapped arrays."""
    total: Counter[str] = Counter()
    file = ""
    for line in Path(f"/proc/{process}/smaps").read_text(encoding="utf-8").splitlines():
        if mapping := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+\s*(.*)", line):
            file = mapping[1]
        elif size := re.match(r"(Rss|Pss|Private_Dirty): +(\d+) kB", line):
            total[size[1]] += int(size[2]) * 1024
            if file.endswith(_ARRAYS):
                total[f"arrays {size[1]}"] += int(size[2]) * 1024
    return total


if __name__ == "__main__":
    main()
