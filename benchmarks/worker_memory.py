"""What each further worker costs in memory, and whether the bundle's arrays are there once or several times.

    python -m benchmarks.worker_memory --artifacts artifacts

Starts the service with one, two and more workers, has them answer requests, and reads `/proc/PID/smaps`
(Linux). PSS is a process's memory with each shared page divided among those that share it: the sum over all
processes is what they take of the machine. *Private* is what a worker wrote to and shares with nobody.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

MIB = 2**20
_ARRAYS = (".npy", ".ann")


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description="Memory by number of workers, as a table.")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--port", type=int, default=8790)
    arguments = parser.parse_args()
    machine = platform.processor() or platform.machine()
    _say(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    _say(
        "| workers | RSS, each | private, each | PSS, all | of it the parent | arrays: RSS, all | PSS, all |"
    )
    _say("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for count in arguments.workers:
        _say(_measure(arguments.artifacts, count, arguments.port))


def _measure(artifacts: Path, workers: int, port: int) -> str:
    settings = {"ARTIFACTS": str(artifacts), "WORKERS": str(workers), "PORT": str(port), "LOG_LEVEL": "error"}
    environment = os.environ | {f"MATINEE_{name}": value for name, value in settings.items()}
    service = subprocess.Popen(
        [sys.executable, "-m", "service"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _warm_up(f"http://127.0.0.1:{port}", workers)
        children = [] if workers == 1 else _children(service.pid)
        serving = children or [service.pid]
        memory = {process: _memory(process) for process in {service.pid, *serving}}
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait()
    resident, private = (
        sum(memory[process][kind] for process in serving) / len(serving) for kind in ("Rss", "Private_Dirty")
    )
    proportional = sum(each["Pss"] for each in memory.values())
    parent = memory[service.pid]["Pss"] if children else 0
    sizes = " | ".join(f"{size / MIB:.0f} MiB" for size in (resident, private, proportional, parent))
    arrays = (sum(each[f"arrays {kind}"] for each in memory.values()) for kind in ("Rss", "Pss"))
    return f"| {workers} | {sizes} | " + " | ".join(f"{size / 1024:.0f} KiB" for size in arrays) + " |"


def _warm_up(url: str, workers: int, *, seconds: float = 120) -> None:
    """Until every worker serves the bundle, and has answered."""
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
    for user in range(200):  # each on a connection of its own: they are dealt out
        httpx.get(f"{url}/recommend", params={"user_id": str(user)}).raise_for_status()


def _children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    return [int(child) for child in text.split()]


def _memory(process: int) -> Counter[str]:
    """Bytes: `Rss`, `Pss`, `Private_Dirty`, and the same of a bundle's mapped arrays alone."""
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


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
