"""docker-compose.yml, brought up under a name of its own and taken down with all it kept."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from deploy.trial.commands import TrialFailed, run, wait_for

PROJECT = "matinee-trial"
_COMPOSE = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")


class Stack:
    """The stack, while inside.

    Args:
        nothing: An empty directory, mounted where ratings would be.
        ratings: A directory to train on, mounted instead once `mount_ratings` was called.
    """

    def __init__(self, nothing: Path, ratings: Path) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.client = httpx.Client(base_url=f"http://{self.address}", timeout=30)
        self._environment = os.environ | {"MATINEE_PUBLISH": self.address, "MATINEE_DATA": str(nothing)}
        self._ratings = ratings

    def __enter__(self) -> Self:
        self._down()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self._down()

    def compose(self, *arguments: str) -> str:
        """What `docker-compose` printed with these arguments."""
        return run(*_COMPOSE, "--project-name", PROJECT, *arguments, environment=self._environment)

    def mount_ratings(self) -> None:
        """Containers that are made from now on train on the ratings given."""
        self._environment["MATINEE_DATA"] = str(self._ratings)

    def live_bundle(self) -> str | None:
        """Its id; None where nothing answers or nothing is ready."""
        try:
            answer = self.client.get("/readyz")
        except httpx.TransportError:
            return None
        return str(answer.json()["bundle_id"]) if answer.is_success else None

    def another_bundle(self, *served: str, seconds: float) -> str:
        """The id of the next bundle that is served and is none of these: workers do not swap at once.

        Raises:
            TrialFailed: None was in time.
        """

        def look() -> str | None:
            live = self.live_bundle()
            return None if live in served else live

        try:
            return wait_for("another bundle", look, seconds=seconds)
        except TrialFailed as error:
            raise TrialFailed(f"{error}\n{self.compose('logs', '--tail', '40')}") from error

    def inside(self, script: str) -> str:
        """What a shell in the service's container printed."""
        return self.compose("exec", "-T", "service", "sh", "-c", script).strip()

    def with_bundles(self, script: str) -> str:
        """What a shell printed that may write where bundles are."""
        shell = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "trainer")
        return self.compose(*shell, "-c", f"cd /artifacts && {script}").strip()

    def current(self) -> str:
        """The bundle that CURRENT names, which workers may still be taking up."""
        return self.with_bundles("cat CURRENT")

    def bundles(self) -> list[str]:
        """Their ids, the oldest first."""
        return sorted(self.with_bundles("ls -d */").replace("/", "").split())

    def inspect(self, what: str, container: str | None = None) -> str:
        """Of the service's container, or of one by its name, what `docker inspect` says."""
        asked = container or self.compose("ps", "-q", "service").strip()
        return run("docker", "inspect", "--format", f"{{{{{what}}}}}", asked).strip()

    def memory(self) -> str:
        """What the service's container takes and what it may take, as Docker says it."""
        container = self.compose("ps", "-q", "service").strip()
        return run("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container).strip()

    def _down(self) -> None:
        self.compose("--profile", "retrain", "down", "--volumes", "--remove-orphans")


def free_port() -> int:
    """One that nobody on this machine listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
