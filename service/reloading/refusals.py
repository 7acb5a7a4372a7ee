"""Bundles that cannot be served: why, since when, and when each is worth another try."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from service.errors import BundleError, BundleUnreadable

LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries of a bundle that cannot be read; the pause doubles up to it."""

Fingerprint = frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class Refusal:
    """What CURRENT names and cannot be served.

    Attributes:
        bundle_id: The bundle's; None where CURRENT itself is wrong.
        error: Why.
        since: When it was first refused for that.
    """

    bundle_id: str | None
    error: BundleError
    since: datetime


class Tries:
    """When one refused bundle is worth another try.

    Args:
        reload_seconds: The first pause between two tries.
    """

    def __init__(self, reload_seconds: float) -> None:
        self._reload_seconds = reload_seconds
        self._pause_seconds = 0.0
        self._tried: Fingerprint | None = None
        self._due = float("inf")

    def due(self, fingerprint: Fingerprint) -> bool:
        """Whether now; a file that changed since the last try is a reason to."""
        if fingerprint == self._tried and time.monotonic() < self._due:
            return False
        self._tried = fingerprint
        return True

    def failed(self, *, again: bool) -> None:
        """It was refused; `again`: what could not be read may be readable later, with no file changed."""
        self._due = time.monotonic() + self._pause_seconds if again else float("inf")
        longer = max(2 * self._pause_seconds, self._reload_seconds)
        self._pause_seconds = min(longer, LONGEST_PAUSE_SECONDS)


def fingerprint(directory: Path) -> Fingerprint:
    """Changes whenever a file below is written, replaced, or given other permissions.

    Raises:
        BundleUnreadable: The directory may not be read.
    """
    try:
        paths = [directory, *directory.rglob("*")]
        stats = [(path, path.lstat()) for path in paths]
    except OSError as error:
        raise BundleUnreadable(f"{error.filename}: {error.strerror}; allow it to be read") from error
    return frozenset((str(path), stat.st_ctime_ns, stat.st_size) for path, stat in stats)
