"""Work that leaves the interpreter to others most of the time."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

WORK_SECONDS, REST_SECONDS = 0.0005, 0.005
SWITCH_INTERVAL_SECONDS = 0.0001


@contextmanager
def breathing() -> Iterator[None]:
    """Within it this thread works for half a millisecond and rests for five, again and again.

    Python's threads take turns, of 5 ms by default where one computes. TensorFlow builds a model in Python: a
    thread that does so without a rest made half of the requests beside it wait for half a second
    (docs/operations.md, Bundles and swaps). The interpreter calls a profiling function at each call and
    return, which is where this thread can be made to rest. Turns are made shorter, too, and the collector of
    garbage waits.
    """
    turn_seconds = sys.getswitchinterval()
    inherited = sys.getprofile()
    rest_at = 0.0

    def rest(*_: object) -> None:
        nonlocal rest_at
        if time.perf_counter() > rest_at:
            time.sleep(REST_SECONDS)
            rest_at = time.perf_counter() + WORK_SECONDS

    sys.setswitchinterval(SWITCH_INTERVAL_SECONDS)
    gc.disable()
    sys.setprofile(rest)
    try:
        yield
    finally:
        sys.setprofile(inherited)
        gc.enable()
        sys.setswitchinterval(turn_seconds)
