"""The directory that bundles are written to, and what a file system may have against it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import ExportError

_PATTERN = re.compile(r"\[.*\]|\\")


def require_writable(artifacts: Path) -> None:
    """Finds out before the minutes of training what would fail after them; writes nothing.

    Args:
        artifacts: Where bundles live, there or not.

    Raises:
        ExportError: No bundle could be written there.
    """
    if _PATTERN.search(str(artifacts)):
        raise ExportError(
            f"{artifacts}: expected a path without brackets or backslashes, which TensorFlow reads as a "
            "pattern; name another with --artifacts"
        )
    place = artifacts.absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not place.is_dir():
        raise ExportError(f"{place}: expected a directory to write bundles to; name another with --artifacts")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ExportError(f"{place}: may not be written to; allow it, or name another with --artifacts")


def make_artifacts(artifacts: Path) -> None:
    """Makes the directory where it is not there, readable for all whatever the umask, as what is in it."""
    if not artifacts.exists():
        artifacts.mkdir(parents=True)
        artifacts.chmod(0o755)


@contextmanager
def writing(artifacts: Path) -> Iterator[None]:
    """Within it a refusal of the file system, such as of a full disk, becomes an error of ours.

    Args:
        artifacts: Named where the refusal names no file.

    Raises:
        ExportError: Something could not be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise ExportError(
            f"{error.filename or artifacts}: cannot be written: {reason}; CURRENT was not changed"
        ) from error
