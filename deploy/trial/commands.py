"""Run commands, check results, poll, print progress."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

REPOSITORY = Path(__file__).parents[2]

T = TypeVar("T")


class TrialFailed(Exception):
    """A check failed."""


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command and return its standard output.

    Raises:
        TrialFailed: Its exit code is not 0.
    """
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise TrialFailed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(truth: object, message: str) -> None:
    """Print a check that passed.

    Raises:
        TrialFailed: It did not pass.
    """
    if not truth:
        raise TrialFailed(f"check failed: {message}")
    say(f"  {message}")


def wait_for(what: str, poll: Callable[[], T | None], *, seconds: float) -> T:
    """Poll until the result is not None.

    Raises:
        TrialFailed: It still is None after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while (found := poll()) is None:
        if time.monotonic() > deadline:
            raise TrialFailed(f"{what}: not within {seconds:g} s")
        time.sleep(0.5)
    return found


def say(line: str) -> None:
    """Print a line of progress at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
