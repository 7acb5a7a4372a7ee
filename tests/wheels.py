"""Build wheels of this repository, and install them into environments of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

VERSIONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, without pip."""

    directory: Path

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def packages(self) -> Path:
        [found] = self.directory.glob("lib/python*/site-packages")
        return found

    def install(self, *arguments: str | Path) -> None:
        """Install as `pip install`, or skip the test where no package index can be reached."""
        here = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(self.python)]
        ended = run([*here, "install", "--quiet", *arguments], check=False)
        if "Temporary failure in name resolution" in ended.stderr or "NewConnectionError" in ended.stderr:
            pytest.skip("no package index can be reached")
        assert ended.returncode == 0, ended.stderr

    def lend(self) -> None:
        """Have it find the packages that are installed beside these tests too, after its own."""
        (self.packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


def build_wheel(project: Path, directory: Path) -> Path:
    """Build the wheel of a copy of a project, which leaves nothing in it."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    run([*command, "--no-deps", "--no-build-isolation", "--wheel-dir", directory, project])
    [wheel] = directory.glob("*.whl")
    return wheel


def make_environment(directory: Path, python: str = sys.executable) -> Environment:
    """Make an empty environment."""
    run([python, "-m", "venv", "--without-pip", directory])
    return Environment(directory)


def find_python(version: str) -> str:
    """A Python of this version, on the path or of uv; or skip the test."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    for directory in os.get_exec_path():
        found = Path(directory) / f"python{version}"
        if (
            found.is_file() and run([found, "--version"], check=False).returncode == 0
        ):  # not so a shim of pyenv
            return str(found)
    if uv := shutil.which("uv"):
        ended = run([uv, "python", "find", "--no-python-downloads", version], check=False)
        if ended.returncode == 0:
            return ended.stdout.strip()
    pytest.skip(f"no Python {version} is installed, neither on the path nor by uv")


def run(command: Sequence[str | Path], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; an error shows what it printed."""
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0 or not check, ended.stderr
    return ended
