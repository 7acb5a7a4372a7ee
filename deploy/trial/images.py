"""Build the images, measure their sizes and inspect their content."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from deploy.trial.commands import REPOSITORY, run

TARGETS = ("service", "training", "load")

_NOT_EVERYWHERE = re.compile(r"%zmm|%k[0-7]|\bvf(?:n?m)(?:add|sub)|\bvpbroadcast|\b(?:mulx|shlx|pdep|pext)\b")
"""AVX-512, FMA, AVX2 and BMI2, which -march=native emits on a newer processor."""


def build() -> dict[str, int]:
    """Build all targets with the classic builder and return their sizes in bytes."""
    # Some machines reach packages only through the host's network.
    environment = os.environ | {"DOCKER_BUILDKIT": "0"}
    for target in TARGETS:
        command = ("docker", "build", "--quiet", "--network", "host", "--target", target)
        run(*command, "--tag", f"matinee-{target}", ".", environment=environment)
    return {target: _bytes(f"matinee-{target}") for target in TARGETS}


def base_bytes() -> int:
    """Size of the base image in bytes."""
    dockerfile = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    return _bytes(base)


def shed() -> list[str]:
    """Lines of the build that say what each removal from the environment saved."""
    log = run("docker", "run", "--rm", "--entrypoint", "cat", "matinee-service", "/opt/matinee/shed.log")
    return [line.removeprefix("shed: ") for line in log.splitlines()]


def users() -> set[str]:
    """Users that the images run as."""
    return {
        run("docker", "image", "inspect", "--format", "{{.Config.User}}", f"matinee-{target}").strip()
        for target in TARGETS
    }


def ratings() -> list[str]:
    """Paths of MovieLens files in the last image, which includes the layers of training."""
    inside = ("docker", "run", "--rm", "--user", "0", "--entrypoint", "find", f"matinee-{TARGETS[-1]}")
    either = " -o ".join(f"-name {name}" for name in ("u.data", "ratings.dat", "ratings.csv", "ml-1*"))
    return run(*inside, "/", "-xdev", *either.split()).split()


def unportable_instructions() -> int:
    """Number of instructions in the image's Annoy that TensorFlow itself does not require of a processor."""
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
    """Number of AVX-512, FMA, AVX2 and BMI2 instructions in a library."""
    return len(_NOT_EVERYWHERE.findall(run("objdump", "--disassemble", "--no-show-raw-insn", str(library))))


def _bytes(image: str) -> int:
    return int(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
