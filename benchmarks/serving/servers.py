"""Servers to compare, each started in its own environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from benchmarks.serving.process_tree import processor_ticks
from benchmarks.serving.work import BUNDLE_VARIABLE, WORK_VARIABLE, WORKERS_VARIABLE

_REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """How to start a server and send requests to it.

    Attributes:
        name: Name of the server and of its requirements file.
        distribution: Distribution whose version is reported.
        command: Arguments of its environment's Python, with `{port}`.
        path: Path of the endpoint.
        body: JSON body, `%s` is the user id.
        environment: Additional environment variables.
    """

    name: str
    distribution: str
    command: tuple[str, ...]
    path: str
    body: str = '{"user_id": "%s"}'
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it is this service, which runs in the benchmark's environment."""
        return self.command == OURS.command


@dataclass(frozen=True)
class Address:
    """Endpoint URL and first process of a running server."""

    url: str
    process: int


OURS = Server("matinee", "fastapi", ("-m", "service"), "/recommend", '{"user_id": "%s", "k": 10}')
OURS_UNCACHED = replace(OURS, name="matinee, no user cache", environment=(("MATINEE_CACHED_USERS", "0"),))
"""Without the cache of query states, which the frameworks do not have."""
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
    Server(
        "ray",
        "ray",
        ("-m", "benchmarks.serving.ray_server", "{port}"),
        "/",
        environment=(("RAY_SERVE_ENABLE_HA_PROXY", "1"), ("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1")),
    ),
)


def python_of(server: Server, environments: Path) -> str:
    """Return the Python of a server's environment, which is created if missing."""
    if server.is_ours:
        return sys.executable
    python = environments / server.name / "bin" / "python"
    if not python.exists():
        sys.stderr.write(f"{server.name}: installing its packages ...\n")
        requirements = _REPOSITORY / "requirements" / "serving" / f"{server.name}.txt"
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)  # noqa: S603  # ours
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], check=True)  # noqa: S603  # ours
    return str(python.absolute())


@contextmanager
def started(
    server: Server,
    python: str,
    bundle: Path,
    *,
    work: str,
    workers: int,
    port: int,
    log: Path,
    seconds: float,
) -> Iterator[Address]:
    """Start a server in its own session; yield its address once it answers correctly.

    Args:
        server: The server.
        python: Its interpreter.
        bundle: Bundle to serve.
        work: Code that it calls, see `benchmarks.serving.work`.
        workers: Worker processes.
        port: Port to listen on.
        log: File for its output.
        seconds: Time limit until the first answer.

    Raises:
        RuntimeError: It did not answer correctly in time; the message ends with its last output.
    """
    bundle = bundle.absolute()
    environment = os.environ | {
        BUNDLE_VARIABLE: str(bundle),
        WORK_VARIABLE: work,
        WORKERS_VARIABLE: str(workers),
        "MATINEE_WORKERS": str(workers),
        "MATINEE_ARTIFACTS": str(bundle.parent),
        "MATINEE_PORT": str(port),
        "TF_NUM_INTRAOP_THREADS": "1",  # as in this service
        "TF_NUM_INTEROP_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": str(_REPOSITORY),
        "BENTOML_DO_NOT_TRACK": "True",
        "RAY_USAGE_STATS_ENABLED": "0",
        **dict(server.environment),
    }
    command = [python, *(part.format(port=port) for part in server.command)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # ours
            command, cwd=log.parent, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}{server.path}"
        deadline = time.monotonic() + seconds
        while not _answers(server, url):
            if time.monotonic() > deadline or process.poll() is not None:
                last = log.read_text(encoding="utf-8", errors="replace")[-1_500:]
                raise RuntimeError(f"expected an answer within {seconds:g} s, got none:\n{last}")
            time.sleep(0.5)
        sys.stderr.write(f"{server.name}: answers\n")
        yield Address(url, process.pid)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    members = processor_ticks(process.pid)
    with suppress(ProcessLookupError):  # all of them ended by themselves
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # Ray leaves HAProxy behind, which has a session of its own and keeps the port.
    for member in members:
        with suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


def _answers(server: Server, url: str) -> bool:
    """Check that a server answers with ten movies for a known user.

    Raises:
        RuntimeError: The answer is something else.
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


def version_of(server: Server, environments: Path) -> str:
    """Return the version of a server's framework in its environment."""
    if server.is_ours:
        return "(this service)"
    code = f"from importlib.metadata import version; print(version({server.distribution!r}))"
    python = str(environments / server.name / "bin" / "python")
    ended = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603  # ours
    return ended.stdout.strip()
