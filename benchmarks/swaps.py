"""What 20 swaps in a row cost a service under load: requests failed, latency, resident memory.

    python -m benchmarks.swaps --artifacts artifacts

Copies the live bundle under new names into a temporary directory and serves it there with one worker. Finds
how many requests/s 16 connections get at most, and offers `--load` of that at a fixed rate without a break,
while one bundle after the other goes live. Requests due while one is being taken up are compared with those
due in the `--seconds` before, so that what else the machine does befalls both alike. Where others keep the
machine busy, `chrt -r 1` before the command (Linux, root) has the service and the load go before them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.socket_load import Load, Sample, percentile
from service.bundle import MANIFEST_FILE
from service.bundle.current import go_live, read_current
from service.bundle.manifest import read_manifest
from service.loaded.histories import Histories

MIB = 2**20
MOST_GROWTH, MOST_SLOWDOWN = 1.3, 3.0
"""The bars: memory after the last swap over that after the second; p99 during swaps over that without."""
_MARK = "<!-- benchmarks.swaps -->"


def main() -> None:
    """Prints the figures, writes them where asked, and ends with 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description="Swaps under load.")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--load", type=float, default=0.5, help="share of the most requests/s")
    parser.add_argument("--seconds", type=float, default=3, help="without a swap, before each")
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--docs", type=Path, help=f"a page whose lines between two {_MARK} to replace")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="matinee-swaps-") as directory:
        artifacts = Path(directory)
        copies = _copies(read_current(arguments.artifacts), artifacts, arguments.swaps + 1)
        with _service(artifacts, arguments.port) as process:
            figures = _measure(artifacts, copies, process, arguments)
    text = _table(figures)
    sys.stdout.write(text)
    if arguments.docs:
        before, _, rest = arguments.docs.read_text(encoding="utf-8").partition(_MARK)
        after = rest.partition(_MARK)[2]
        arguments.docs.write_text(f"{before}{_MARK}\n\n{text}\n{_MARK}{after}", encoding="utf-8")
    sys.exit(0 if figures.passed else 1)


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    most_per_second: float
    per_second: float
    quiet: list[Sample]
    swapping: list[Sample]
    swap_seconds: list[float]
    resident_bytes: list[int]

    @property
    def failed(self) -> int:
        """Requests of either time that were not answered with 200."""
        return sum(each.status != 200 for each in self.quiet + self.swapping)

    @property
    def slowdown(self) -> float:
        """p99 during swaps over that without."""
        return percentile(self.swapping, 0.99) / percentile(self.quiet, 0.99)

    @property
    def growth(self) -> float:
        """Resident memory after the last swap over that after the second."""
        return self.resident_bytes[-1] / self.resident_bytes[1]

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return self.failed == 0 and self.slowdown <= MOST_SLOWDOWN and self.growth <= MOST_GROWTH


def _measure(artifacts: Path, copies: list[Path], process: int, arguments: argparse.Namespace) -> Figures:
    url = f"http://127.0.0.1:{arguments.port}"
    manifest = read_manifest(copies[0])
    histories = Histories(copies[0], manifest.index["candidates"])
    users = random.Random(0).choices(range(len(histories)), k=1_000)  # noqa: S311 no secret
    bodies = [{"user_id": histories.user_id_of(user), "k": 10} for user in users]
    _wait_for(url, copies[0].name)
    _closed(arguments.port, bodies, 2)
    most = _closed(arguments.port, bodies, 5)
    load = Load(arguments.port, bodies, connections=64, per_second=arguments.load * most)
    swaps, rests, resident = [], [], []
    for copy in copies[1:]:
        time.sleep(1)  # until what the load's beginning or the last swap held up is answered
        began = time.monotonic()
        time.sleep(arguments.seconds)
        rests.append((began, time.monotonic()))
        began = time.monotonic()
        go_live(artifacts, copy.name)
        os.kill(process, signal.SIGHUP)
        _wait_for(url, copy.name)
        swaps.append((began, time.monotonic()))
        resident.append(_resident_bytes(process))
    time.sleep(1)
    samples = load.stop()
    return Figures(
        most,
        arguments.load * most,
        _within(samples, rests),
        _within(samples, swaps),
        [ended - began for began, ended in swaps],
        resident,
    )


def _within(samples: list[Sample], spans: list[tuple[float, float]]) -> list[Sample]:
    return [each for each in samples if any(began <= each.due < ended for began, ended in spans)]


def _closed(port: int, bodies: list[dict[str, object]], seconds: float) -> float:
    """Requests/s that 16 connections get which ask without pause."""
    load = Load(port, bodies, connections=16)
    time.sleep(seconds)
    return len(load.stop()) / seconds


def _table(figures: Figures) -> str:
    cpu = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    )
    resident = [size / MIB for size in figures.resident_bytes]
    rows = [
        f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[1]:.1f}, Python {platform.python_version()}; {len(resident)} swaps, "
        f"{figures.per_second:.0f} requests/s offered, {figures.per_second / figures.most_per_second:.0%} "
        f"of the most that 16 connections got:",
        "",
        "| | without swaps | during swaps | bar |",
        "| --- | ---: | ---: | ---: |",
        f"| requests | {len(figures.quiet)} | {len(figures.swapping)} | |",
        f"| failed | {sum(s.status != 200 for s in figures.quiet)} "
        f"| {sum(s.status != 200 for s in figures.swapping)} | 0 |",
        *(
            f"| p{100 * share:g} | {percentile(figures.quiet, share) * 1000:.1f} ms "
            f"| {percentile(figures.swapping, share) * 1000:.1f} ms | |"
            for share in (0.5, 0.9, 0.999)
        ),
        f"| p99 | {percentile(figures.quiet, 0.99) * 1000:.1f} ms "
        f"| {percentile(figures.swapping, 0.99) * 1000:.1f} ms, {figures.slowdown:.1f} times "
        f"| {MOST_SLOWDOWN:g} times |",
        f"| seconds for one swap, median / most | | {sorted(figures.swap_seconds)[len(resident) // 2]:.1f} / "
        f"{max(figures.swap_seconds):.1f} | |",
        f"| resident memory after the 1st, 2nd, last swap | | {resident[0]:.0f}, {resident[1]:.0f}, "
        f"{resident[-1]:.0f} MiB; last over 2nd {figures.growth:.2f} | {MOST_GROWTH:g} |",
    ]
    return "\n".join(rows) + "\n"


def _copies(bundle: Path, artifacts: Path, count: int) -> list[Path]:
    """The bundle under new names, the first of them live."""
    manifest = read_manifest(bundle)
    copies = []
    for number in range(count):
        copy = Path(shutil.copytree(bundle, artifacts / f"copy-{number:02d}"))
        document = replace(manifest, bundle_id=copy.name).to_document()
        (copy / MANIFEST_FILE).write_text(json.dumps(document), encoding="utf-8")
        copies.append(copy)
    go_live(artifacts, copies[0].name)
    return copies


@contextmanager
def _service(artifacts: Path, port: int) -> Iterator[int]:
    settings = {"ARTIFACTS": str(artifacts), "PORT": str(port), "RELOAD_SECONDS": "3600"}
    environment = os.environ | {f"MATINEE_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "service"]
    service = subprocess.Popen(  # noqa: S603 our own
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield service.pid
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait()


def _wait_for(url: str, bundle_id: str, *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/readyz", timeout=30).json().get("bundle_id") == bundle_id:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{bundle_id} was not live within {seconds:g} s")


def _resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
