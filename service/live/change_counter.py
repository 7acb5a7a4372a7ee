"""Count commits where all processes of a machine see it at once, without a call of the system."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

_BYTES = 8


class ChangeCounter:
    """A number in a file that is mapped by every process that has the store open.

    SQLite's own counter takes 4 us to ask for, and 20 where the processor did something else in between: a
    tenth of a batch. This one takes 0.2.

    Args:
        path: The file; made where missing. What it holds means nothing to processes that start later.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < _BYTES:
                os.ftruncate(descriptor, _BYTES)
            self._map = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)
        self._numbers = memoryview(self._map).cast("Q")

    @property
    def value(self) -> int:
        """Differs from every earlier value where something was committed since."""
        return self._numbers[0]

    def add(self) -> None:
        """Count a commit; to be called by one writer at a time, before the commit is acknowledged."""
        self._numbers[0] = (self._numbers[0] + 1) % 2**63

    def close(self) -> None:
        """Unmap the file."""
        self._numbers.release()
        self._map.close()
