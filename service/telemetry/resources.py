"""What this process takes of the machine."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Resources:
    """What a process uses.

    Attributes:
        resident_bytes: Memory, with pages shared with others; where the system does not say (no /proc), the
            most it ever was.
        cpu_seconds: Processor time since its start.
    """

    resident_bytes: int
    cpu_seconds: float

    @classmethod
    def of_this_process(cls) -> Resources:
        """As it is now."""
        try:
            resident_bytes = int(_STATM.read_bytes().split()[1]) * resource.getpagesize()
        except OSError:
            unit = 1 if sys.platform == "darwin" else 1024
            resident_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return cls(resident_bytes, time.process_time())
