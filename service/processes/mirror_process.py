"""What the supervisor knows of the process that copies bundles from an object storage, see `mirroring`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress

from service.settings import Settings

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0


class MirrorProcess:
    """Runs that process, and starts it again where it ended.

    Args:
        settings: Of the service, whose artifacts are a URL.
    """

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | {
            "MATINEE_ARTIFACTS": str(settings.artifacts),  # a variable: it may hold a password
            "MATINEE_ARTIFACTS_CACHE": str(settings.artifacts_cache),
            "MATINEE_RELOAD_SECONDS": str(settings.reload_seconds),
            "MATINEE_LOG_LEVEL": settings.log_level,
            "MATINEE_LOG_FORMAT": settings.log_format,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._due_at = 0.0
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    def advance(self) -> None:
        """Start it where it does not run."""
        # The supervisor may have reaped it: then `poll` finds no such child, which counts as ended too.
        if self._process is not None and self._process.poll() is None:
            return
        if time.monotonic() < self._due_at:
            return
        if self._process is not None:
            self._close()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.reloading.mirroring"],
            stdin=subprocess.PIPE,
            env=self._environment,
        )
        self._due_at = time.monotonic() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    def look(self) -> None:
        """Have it read CURRENT at once."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it has ended
                os.write(self._process.stdin.fileno(), b"\n")

    def stop(self) -> None:
        """End it, also within a download; nothing half-copied is used later."""
        if self._process is not None:
            self._close()
            self._process.terminate()

    def _close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
