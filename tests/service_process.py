"""Run `python -m service` in a subprocess on a real port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).parents[1]


@dataclass(frozen=True)
class ServiceProcess:
    """A running service with an HTTP client; `log` is its output so far."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")

    @property
    def port(self) -> int | None:
        return self.client.base_url.port

    def wait_until_ready(self, *, bundle_id: str | None = None, seconds: float = 60) -> None:
        """Poll `/readyz` until it is 200 and, if given, names this bundle."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.client.get("/readyz")
            if answer.status_code == 200 and bundle_id in (None, answer.json()["bundle_id"]):
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready within {seconds} s: {answer.text}\n{self.log}")


def service_environment(artifacts: Path | str, **settings: str) -> dict[str, str]:
    """Return this process's environment with only the given MATINEE_ variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MATINEE_")}
    # Tests run beside each other: a load that yields to them would take minutes.
    own = {"artifacts": str(artifacts), "port": "0", "load_priority": "normal", "store": "off"} | settings
    return inherited | {f"MATINEE_{name.upper()}": value for name, value in own.items()}


@contextmanager
def running_service(
    artifacts: Path | str, log_path: Path, *, prefix: Sequence[str] = (), **settings: str
) -> Iterator[ServiceProcess]:
    """Start the service on a free port and wait until it listens, not until it is ready.

    Args:
        artifacts: Artifacts directory, or its URL.
        log_path: File for the output of the process.
        prefix: Command with arguments that runs the service as its child.
        settings: Values of `MATINEE_*` variables, such as `reload_seconds="0.1"`.
    """
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "service"],
            cwd=REPOSITORY,
            env=service_environment(artifacts, **settings),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        base_url = _wait_for_address(process, log_path)
        with httpx.Client(base_url=base_url, timeout=30) as client:
            yield ServiceProcess(process, client, log_path)
    finally:
        process.kill()
        process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], log_path: Path, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"on (http://\S+?:\d+)[\n\"]", log_path.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"the service does not listen:\n{log_path.read_text(encoding='utf-8')}")
