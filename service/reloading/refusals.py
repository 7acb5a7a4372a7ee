"""Bundles that cannot be served: why, since when, and when each is worth another try."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from service.errors import BundleUnreadable

LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries of a bundle that cannot be read; the pause doubles up to it."""

Fingerprint = frozenset[tuple[str, int, int]]


@dataclass(frozen=True)
class Refusal:
    """What CURRENT names and cannot be served.

    Attributes:
        bundle_id: The bundle's; None where CURRENT itself is wrong.
        error: Name of the error's class, such as `ChecksumDiffers`.
        detail: The error's message.
        since: When it was first refused for that.
    """

    bundle_id: str | None
    error: str
    detail: str
    since: datetime

    def to_document(self) -> dict[str, str | None]:
        """As JSON values."""
        return {
            "bundle_id": self.bundle_id,
            "error": self.error,
            "detail": self.detail,
            "since": self.since.isoformat(),
        }

    @classmethod
    def from_document(cls, document: dict[str, str] | None) -> Refusal | None:
        """Read what `to_document` wrote; None stays None."""
        if document is None:
            return None
        since = datetime.fromisoformat(document["since"])
        return cls(document["bundle_id"], document["error"], document["detail"], since)


class Retries:
    """When one refused bundle is worth another try.

    Args:
        first_pause_seconds: The first pause between two tries.
    """

    def __init__(self, first_pause_seconds: float) -> None:
        self._first_pause_seconds = first_pause_seconds
        self._pause_seconds = 0.0
        self._tried: Fingerprint | None = None
        self._due = float("inf")

    def is_due(self, fingerprint: Fingerprint) -> bool:
        """Whether to try now; a file that changed since the last try is a reason to."""
        if fingerprint == self._tried and time.monotonic() < self._due:
            return False
        self._tried = fingerprint
        return True

    def add_failure(self, *, may_pass: bool) -> None:
        """Note a failed try.

        Args:
            may_pass: Whether it may succeed later with no file changed, as where a file could not be read.
        """
        self._due = time.monotonic() + self._pause_seconds if may_pass else float("inf")
        longer = max(2 * self._pause_seconds, self._first_pause_seconds)
        self._pause_seconds = min(longer, LONGEST_PAUSE_SECONDS)


def fingerprint(directory: Path) -> Fingerprint:
    """Path, change time and size of everything below: changes when a file or its permissions do.

    Raises:
        BundleUnreadable: The directory may not be read.
    """
    try:
        paths = [directory, *directory.rglob("*")]
        stats = [(path, path.lstat()) for path in paths]
    except OSError as error:
        raise BundleUnreadable(f"{error.filename}: {error.strerror}; allow it to be read") from error
    return frozenset((str(path), stat.st_ctime_ns, stat.st_size) for path, stat in stats)
