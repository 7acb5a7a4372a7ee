"""Start the Compose files as a project of their own, and remove it with its volumes."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import httpx

from deploy.trial.commands import TrialFailed, run, wait_for

PROJECT = "matinee-trial"
COMPOSE = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")


class Stack:
    """Context manager of the Compose project.

    Args:
        nothing: An empty directory, mounted as /data at first.
        ratings: A directory of ratings, mounted as /data after `mount_ratings`.
        project: Its name.
        files: Compose files; none for those that Compose reads by itself.
        variables: Further ones of Compose.
    """

    def __init__(
        self,
        nothing: Path,
        ratings: Path,
        *,
        project: str = PROJECT,
        files: Sequence[str] = (),
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.project = project
        self._files = [option for file in files for option in ("--file", file)]
        self.address = f"127.0.0.1:{free_port()}"
        self.client = httpx.Client(base_url=f"http://{self.address}", timeout=30)
        self.environment = {
            **os.environ,
            "MATINEE_PUBLISH": self.address,
            "MATINEE_DATA": str(nothing),
            **variables,
        }
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
        """Run a Compose command and return its output."""
        project = ("--project-name", self.project)
        return run(*COMPOSE, *project, *self._files, *arguments, environment=self.environment)

    def mount_ratings(self) -> None:
        """Mount the ratings in containers created from now on."""
        self.environment["MATINEE_DATA"] = str(self._ratings)

    def live_bundle(self) -> str | None:
        """Id of the live bundle, or None if the service is not ready."""
        try:
            answer = self.client.get("/readyz")
        except httpx.TransportError:
            return None
        return str(answer.json()["bundle_id"]) if answer.is_success else None

    def another_bundle(self, *served: str, seconds: float) -> str:
        """Wait for a live bundle other than `served` and return its id; workers swap one after another.

        Raises:
            TrialFailed: None is live after `seconds`.
        """

        def poll() -> str | None:
            live = self.live_bundle()
            return None if live in served else live

        try:
            return wait_for("another bundle", poll, seconds=seconds)
        except TrialFailed as error:
            raise TrialFailed(f"{error}\n{self.compose('logs', '--tail', '40')}") from error

    def inside(self, script: str) -> str:
        """Run a shell script in the service's container and return its output."""
        return self.compose("exec", "-T", "service", "sh", "-c", script).strip()

    def containers(self, service: str = "service") -> list[str]:
        """Ids of the containers of a service of Compose."""
        return self.compose("ps", "-q", service).split()

    def with_store(self, backups: Path, *arguments: str) -> str:
        """Run `matinee store` as docs/live.md says, with a directory as /backups."""
        mounted = ("run", "--rm", "-T", "--no-deps", "--volume", f"{backups}:/backups")
        return self.compose(*mounted, "--entrypoint", "matinee", "service", "store", *arguments)

    def with_bundles(self, script: str) -> str:
        """Run a shell script in the artifacts directory, writable, and return its output."""
        shell = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "trainer")
        return self.compose(*shell, "-c", f"cd /artifacts && {script}").strip()

    def current(self) -> str:
        """Bundle that CURRENT names, which workers may still be loading."""
        return self.with_bundles("cat CURRENT")

    def bundles(self) -> list[str]:
        """Ids of all bundles, oldest first."""
        return sorted(self.with_bundles("ls -d */ 2>/dev/null || :").replace("/", "").split())

    def inspect(self, what: str, container: str | None = None) -> str:
        """A field of `docker inspect`, of the service's container unless another is named."""
        name = container or self.compose("ps", "-q", "service").strip()
        return run("docker", "inspect", "--format", f"{{{{{what}}}}}", name).strip()

    def memory(self) -> str:
        """Memory of the service's container and its limit, as Docker prints them."""
        container = self.compose("ps", "-q", "service").strip()
        return run("docker", "stats", "--no-stream", "--format", "{{.MemUsage}}", container).strip()

    def _down(self) -> None:
        profiles = ("--profile", "retrain", "--profile", "monitoring")
        self.compose(*profiles, "down", "--volumes", "--remove-orphans")


def free_port() -> int:
    """Find a free TCP port on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
