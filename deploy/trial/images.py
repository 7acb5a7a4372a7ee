"""The images: built, measured, and looked into."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from deploy.trial.commands import REPOSITORY, run

TARGETS = ("service", "training", "load")

_NOT_EVERYWHERE = re.compile(r"%zmm|%k[0-7]|\bvf(?:n?m)(?:add|sub)|\bvpbroadcast|\b(?:mulx|shlx|pdep|pext)\b")
"""AVX-512, FMA, AVX2 and BMI2: what -march=native makes of the same source on a newer processor."""


def build() -> dict[str, int]:
    """Builds all targets with the classic builder; their sizes in bytes."""
    # In the host's network, for machines whose packages come by way of it.
    environment = os.environ | {"DOCKER_BUILDKIT": "0"}
    for target in TARGETS:
        command = ("docker", "build", "--quiet", "--network", "host", "--target", target)
        run(*command, "--tag", f"matinee-{target}", ".", environment=environment)
    return {target: _bytes(f"matinee-{target}") for target in TARGETS}


def base_bytes() -> int:
    """Of the image that all begin with."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    return _bytes(base)


def shed() -> list[str]:
    """What each step of the build that makes the environment smaller saved."""
    log = run("docker", "run", "--rm", "--entrypoint", "cat", "matinee-service", "/opt/matinee/shed.log")
    return [line.removeprefix("shed: ") for line in log.splitlines()]


def users() -> set[str]:
    """Whom the images run as."""
    return {
        run("docker", "image", "inspect", "--format", "{{.Config.User}}", f"matinee-{target}").strip()
        for target in TARGETS
    }


def ratings() -> list[str]:
    """Files of MovieLens in the last of the images, which has the layers of training."""
    inside = ("docker", "run", "--rm", "--user", "0", "--entrypoint", "find", f"matinee-{TARGETS[-1]}")
    either = " -o ".join(f"-name {name}" for name in ("u.data", "ratings.dat", "ratings.csv", "ml-1*"))
    return run(*inside, "/", "-xdev", *either.split()).split()


def unportable_instructions() -> int:
    """How many instructions of the image's Annoy not every processor has that can run TensorFlow."""
    where = "import annoy.annoylib as found; print(found.__file__)"
    found = run("docker", "run", "--rm", "--entrypoint", "python", "matinee-service", "-c", where).strip()
    with tempfile.TemporaryDirectory() as directory:
        library = Path(directory, "annoylib.so")
        container = run("docker", "create", "matinee-service").strip()
        try:
            run("docker", "cp", f"{container}:{found}", str(library))
        finally:
            run("docker", "rm", container)
        return count_unportable(library)


def count_unportable(library: Path) -> int:
    """How many instructions of a library are of AVX-512, FMA, AVX2 or BMI2."""
    return len(_NOT_EVERYWHERE.findall(run("objdump", "--disassemble", "--no-show-raw-insn", str(library))))


def _bytes(image: str) -> int:
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
