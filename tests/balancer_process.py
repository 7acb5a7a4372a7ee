"""deploy/balancer/haproxy.cfg in a real HAProxy, before services on ports of this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from service_process import REPOSITORY

CONFIGURATION = REPOSITORY / "deploy" / "balancer" / "haproxy.cfg"
_SERVERS = re.compile(r"^  server-template .*$", re.MULTILINE)


@dataclass(frozen=True)
class Balancer:
    """A running HAProxy; `log` is its output so far."""

    url: str
    log_path: Path

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8")


def haproxy() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def running_balancer(program: str, directory: Path, port: int, replicas: Sequence[int]) -> Iterator[Balancer]:
    """Run the configuration with replicas by port instead of by Compose's names, until the block ends."""
    servers = "\n".join(f"  server service{n} 127.0.0.1:{each}" for n, each in enumerate(replicas, 1))
    text, replaced = _SERVERS.subn(servers, CONFIGURATION.read_text(encoding="utf-8"))
    assert replaced == 2
    path, log_path = directory / "haproxy.cfg", directory / "haproxy.log"
    path.write_text(text.replace("bind :8000\n", f"bind 127.0.0.1:{port}\n"), encoding="utf-8")
    with log_path.open("wb") as log:
        process = subprocess.Popen([program, "-W", "-f", str(path)], stdout=log, stderr=subprocess.STDOUT)
    try:
        balancer = Balancer(f"http://127.0.0.1:{port}", log_path)
        _wait_for(balancer, process)
        yield balancer
    finally:
        process.terminate()
        process.wait()


def _wait_for(balancer: Balancer, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{balancer.url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the balancer does not answer:\n{balancer.log}")
