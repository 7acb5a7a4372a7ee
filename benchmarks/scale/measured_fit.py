"""Run `fit` as a user would, and measure its stages and the memory of its processes."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_STAGE = re.compile(r"^(\S.*): (\d+\.\d) s$")
_EPOCH = re.compile(r"^  epoch (\d+) of \d+: .*; held out: HR@100 (\d\.\d+)")
_EVERY_SECONDS = 0.25


@dataclass
class MeasuredFit:
    """What a `fit` took.

    Attributes:
        seconds: By the clock, of the whole command.
        processor_seconds: Of all its processes and threads.
        peak_bytes: Most memory of all its processes together, files that are mapped included, pages that they
            share counted once (PSS).
        peak_anonymous_bytes: The same of memory that no file is behind.
        stages: Seconds by the clock of each stage that the command printed, by name.
        hit_rates: Held-out hit rate@100 by epoch, of each training by which the length was chosen.
    """

    seconds: float = 0.0
    processor_seconds: float = 0.0
    peak_bytes: int = 0
    peak_anonymous_bytes: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    hit_rates: list[dict[int, float]] = field(default_factory=list)


def measure_fit(data: Path, artifacts: Path, options: Sequence[str] = ()) -> MeasuredFit:
    """Run `fit --evaluate none` on ratings in a process of its own; its output is passed on.

    Raises:
        SystemExit: The command failed.
    """
    command = [sys.executable, "-m", "training", "fit", "--data", str(data), "--artifacts", str(artifacts)]
    found, started = MeasuredFit(), time.perf_counter()
    last = 0
    with subprocess.Popen(  # noqa: S603  # our own
        [*command, "--evaluate", "none", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watching = threading.Thread(target=_watch, args=(process, found))
        watching.start()
        for line in process.stdout or ():
            sys.stderr.write(line)
            if stage := _STAGE.match(line):
                found.stages[stage[1]] = float(stage[2])
            elif epoch := _EPOCH.match(line):
                at = int(epoch[1])
                if at <= last or not found.hit_rates:
                    found.hit_rates.append({})
                found.hit_rates[-1][at] = float(epoch[2])
                last = at
        watching.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with exit code {process.returncode}, see above")
    found.seconds = time.perf_counter() - started
    return found


def _watch(process: subprocess.Popen[str], found: MeasuredFit) -> None:
    """Follow the memory and the processor time of a process and of its children until it ends."""
    parent, by_process = psutil.Process(process.pid), {}
    while process.poll() is None:
        memory: Counter[str] = Counter()
        for one in (parent, *parent.children(recursive=True)):
            try:
                memory += _proportional_memory(one.pid)
                times = one.cpu_times()
            except (psutil.NoSuchProcess, psutil.AccessDenied, ProcessLookupError, FileNotFoundError):
                continue  # it ended while it was read
            by_process[one.pid] = times.user + times.system
        found.peak_bytes = max(found.peak_bytes, memory["Pss"])
        found.peak_anonymous_bytes = max(found.peak_anonymous_bytes, memory["Pss_Anon"])
        found.processor_seconds = sum(by_process.values())
        time.sleep(_EVERY_SECONDS)


def _proportional_memory(process: int) -> Counter[str]:
    """Bytes of a process by the names of proc(5)'s smaps_rollup."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    fields = (line.split() for line in lines)
    return Counter({name.rstrip(":"): 1024 * int(size) for name, size, *_ in fields})
