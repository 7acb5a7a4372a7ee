"""Choose how TensorFlow allocates memory, which has to be before its first operation.

Its caching allocator keeps what a step frees for the next one, and gives nothing back: what a large model
held stays taken while the next one begins with other memory than TensorFlow's. The system's allocator gives
blocks of 32 MiB and more back, and keeps smaller ones if it is told to.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CACHES = "TF_CPU_ALLOCATOR_USE_BFC"
_LARGE_BYTES = 2**26
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def choose_allocator(table_bytes: int) -> None:
    """Take the system's allocator if a model's largest table has 64 MiB or more.

    Without effect once TensorFlow has run an operation.
    """
    if table_bytes >= _LARGE_BYTES:
        os.environ[_CACHES] = "false"


def keep_freed_blocks() -> None:
    """Have the system's allocator, if TensorFlow uses it and it is glibc's, keep what steps free.

    To be called after `Dataset.from_generator`, with which TensorFlow 2.21 has malloc give back all blocks of
    128 KiB and more: a step of a million movies then takes twice the time.
    """
    if os.environ.get(_CACHES) == "true" or sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2**28)
        mallopt(_MMAP_THRESHOLD, 2**25)
        mallopt(_ARENA_MAX, 1)
