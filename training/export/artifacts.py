"""Check and make the directory that bundles are written to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.errors import ExportError

_PATTERN = re.compile(r"\[.*\]|\\")
_URL = re.compile(r"[a-z][a-z0-9+.]+:/[^/]")  # a path that was a URL


def require_writable(artifacts: Path) -> None:
    """Check before the minutes of training that a bundle could be written after them; write nothing.

    Args:
        artifacts: Where bundles are; need not exist.

    Raises:
        ExportError: No bundle could be written there.
    """
    if _URL.match(str(artifacts)):
        raise ExportError(
            f"{artifacts}: expected a directory; of all commands "
            "`serve`, `fit`, `verify` and `rollback` take a URL"
        )
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
    """Make the directory if it does not exist, readable for all whatever the umask, as its bundles."""
    if not artifacts.exists():
        artifacts.mkdir(parents=True)
        artifacts.chmod(0o755)


@contextmanager
def writing(artifacts: Path) -> Iterator[None]:
    """Convert an error of the file system in the block, such as a full disk, to `ExportError`.

    Args:
        artifacts: Named where the error names no file.

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
