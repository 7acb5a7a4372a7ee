"""What has reached the disk, and so survives a power cut.

Part of the contract that `service.bundle` describes; the standard library only.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Waits until a file's content, or of a directory the names in it, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
