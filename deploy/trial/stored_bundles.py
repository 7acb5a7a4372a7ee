"""Checks of compose.storage.yml: training and the service with bundles in an S3 server of this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from deploy.trial.commands import TrialFailed, expect, run, say, wait_for
from deploy.trial.report import Report
from deploy.trial.stack import PROJECT, Stack, free_port

_FILES = ("docker-compose.yml", "docker-compose.override.yml", "compose.storage.yml")
_URL = "s3://bundles/movies"


class S3Server:
    """Context manager of moto's server, which containers reach by the host's address on Docker's bridge."""

    def __init__(self) -> None:
        gateway = "{{(index .IPAM.Config 0).Gateway}}"
        host = run("docker", "network", "inspect", "bridge", "--format", gateway).strip()
        self._port = free_port()
        self.url = f"http://{host}:{self._port}"

    def __enter__(self) -> Self:
        everywhere = "0.0.0.0"  # noqa: S104  # containers reach it
        command = (sys.executable, "-m", "moto.server", "-H", everywhere, "-p", str(self._port))
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the S3 server", self._bucket, seconds=30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, so that the storage cannot be reached."""
        self._process.terminate()
        self._process.wait()

    def _bucket(self) -> bool | None:
        try:
            return httpx.put(f"{self.url}/bundles").is_success or None
        except httpx.TransportError:
            return None


def check(report: Report, ratings: Path) -> None:
    """Train into the storage, serve from it, swap to a second bundle, and go on without the storage.

    Raises:
        TrialFailed: One of that fails.
    """
    say("Bundles in S3")
    quick = ("--evaluate", "none", "--epochs", "2")
    with S3Server() as server:
        variables = {
            "MATINEE_ARTIFACTS": _URL,
            "MATINEE_WORKERS": "1",
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "anybody",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        with Stack(
            ratings, ratings, project=f"{PROJECT}-storage", files=_FILES, variables=variables
        ) as stack:
            stack.compose("run", "--rm", "-T", "trainer", "first", *quick)
            stack.compose("up", "--detach", "--no-build")
            first = stack.another_bundle(seconds=120)
            again = stack.compose("logs", "trainer")
            expect("the live bundle is valid" in again, "the trainer finds the bundle in the storage")
            stack.compose("run", "--rm", "-T", "--no-deps", "trainer", "now", *quick)
            second = stack.another_bundle(first, seconds=120)
            expect(not stack.bundles(), "the volume `artifacts` has no bundle")
            server.stop()
            stack.compose("restart", "service")
            if stack.another_bundle(first, seconds=60) != second:
                raise TrialFailed(f"expected {second} to be served from its copy, without the storage")
            expect(stack.client.get("/recommend", params={"user_id": "42"}).is_success, "recommendations")
    report.add(
        "bundles in S3 (moto), without any on a volume", "trained, served, swapped; restarted without S3"
    )
