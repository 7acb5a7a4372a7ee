"""Memory and processor time of this process."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Resources:
    """Memory and processor time of a process.

    Attributes:
        resident_bytes: Memory, with pages shared with other processes; without /proc its maximum so far.
        cpu_seconds: Processor time since its start.
    """

    resident_bytes: int
    cpu_seconds: float

    @classmethod
    def of_this_process(cls) -> Resources:
        """Measure this process now."""
        try:
            resident_bytes = int(_STATM.read_bytes().split()[1]) * resource.getpagesize()
        except OSError:
            unit = 1 if sys.platform == "darwin" else 1024
            resident_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return cls(resident_bytes, time.process_time())
