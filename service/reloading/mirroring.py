"""`python -m service.reloading.mirroring`: keeps copies of what is live in `MATINEE_ARTIFACTS`, a URL.

A process of its own: clients of storages have threads, and the supervisor, which forks, must have none.
It reads CURRENT after each pause, or at once when a byte comes on standard input, and ends with that.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys

from service.bundle.mirrored_artifacts import MirroredArtifacts
from service.bundle.object_storage import ObjectStorage
from service.errors import BundleError
from service.reloading.copy_failure import note_failure, note_success
from service.settings import Settings
from service.telemetry.logs import log_directly

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 60.0
"""Between two tries that fail; the pause doubles up to it."""


def main() -> None:
    """Follow the storage until standard input is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's, which ends this process
    settings = Settings()
    log_directly(settings.log_level, settings.log_format, worker=0)
    try:
        storage = ObjectStorage(str(settings.artifacts))
    except BundleError as error:
        logger.critical("%s", error)
        sys.exit(1)
    follow(MirroredArtifacts(storage, settings.artifacts_directory), settings.reload_seconds)


def follow(mirrored: MirroredArtifacts, seconds: float, descriptor: int = 0) -> None:
    """Update copies again and again; what goes wrong is said once, and changes no bundle.

    Args:
        mirrored: The copies.
        seconds: Pause after an update that went well.
        descriptor: Of a pipe: a byte has the next update begin at once, its end ends this.
    """
    pause, said, live = seconds, "", ""
    while True:
        try:
            before, live = live, mirrored.update()
            if live != before or said:
                logger.info("bundle %s is live in the storage, and here", live)
            note_success(mirrored.directory)
            pause, said = seconds, ""
        except (BundleError, OSError) as error:
            words = f"{type(error).__name__}: {error}"
            if words != said:
                logger.warning("%s; serving what is here", words)
                note_failure(mirrored.directory, mirrored.wanted, error)
            pause, said = min(2 * pause, max(seconds, LONGEST_PAUSE_SECONDS)), words
        if select.select([descriptor], [], [], pause)[0] and not os.read(descriptor, 4096):
            return


if __name__ == "__main__":
    main()
