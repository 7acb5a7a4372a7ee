"""Images of other projects, and what stands in for them where no registry can be reached."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from deploy.trial.commands import REPOSITORY, run, say

_HERE = Path(__file__).parent
_FILES = ("docker-compose.yml", "compose.replicas.yml")


def provide() -> dict[str, str]:
    """Have the images of haproxy, postgres and prometheus that Compose names; how each was had, by name."""
    return {name: _had(image, name) for name, image in _named().items()}


def _named() -> dict[str, str]:
    services: dict[str, dict[str, str]] = {}
    for name in _FILES:
        services = yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))["services"] | services
    return {
        "haproxy": services["balancer"]["image"],
        "postgres": services["postgres"]["image"],
        "prometheus": services["prometheus"]["image"],
    }


def _had(image: str, name: str) -> str:
    if subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, check=False).returncode == 0:
        return image
    say(f"  {image} cannot be pulled: Debian's {name} stands in for it")
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    command = (
        "docker",
        "build",
        "--quiet",
        "--network",
        "host",
        "--build-arg",
        f"BASE={base}",
        "--tag",
        image,
    )
    file = ("--file", str(_HERE / f"{name}.Dockerfile"), str(_HERE))
    run(*command, *file, environment=os.environ | {"DOCKER_BUILDKIT": "0"})
    inside = (
        "docker",
        "run",
        "--rm",
        "--entrypoint",
        name,
        image,
        "--version" if name != "haproxy" else "-v",
    )
    version = re.search(r"\d+\.\d+(\.\d+)?", run(*inside))
    return f"Debian's {name} {version[0] if version else '?'} in place of {image}"
