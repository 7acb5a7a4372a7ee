"""File locks that end with the process that holds them, however it ends; the standard library only."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def exclusive(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock on a file: no other process is inside such a block for the same file.

    The lock is the kernel's (flock): SIGKILL releases it, and the file that is then left means nothing.

    Args:
        path: The file; made where it is missing, removed at the end. It holds the process's number.
        wait: Until it is free; otherwise BlockingIOError.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: The file cannot be made, such as on a read-only mount.
    """
    descriptor = _locked(path, wait=wait)
    try:
        with suppress(OSError):  # a full disk is a reason to need the lock, not to be denied it
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(path: Path, *, wait: bool) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed the file since it was opened, and others locked a new one.
            if os.fstat(descriptor).st_nlink:
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
