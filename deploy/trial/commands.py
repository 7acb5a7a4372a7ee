"""Programs that the trial runs, and what it says meanwhile."""

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
    """Something is not as documented."""


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """What a command printed.

    Raises:
        TrialFailed: It ended with another code than 0.
    """
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise TrialFailed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(truth: object, message: str) -> None:
    """Says what was found to be so.

    Raises:
        TrialFailed: It is not so.
    """
    if not truth:
        raise TrialFailed(f"not so: {message}")
    say(f"  {message}")


def wait_for(what: str, look: Callable[[], T | None], *, seconds: float) -> T:
    """Looks until there is something.

    Raises:
        TrialFailed: There is nothing in time.
    """
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TrialFailed(f"{what}: not within {seconds:g} s")
        time.sleep(0.5)
    return found


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
