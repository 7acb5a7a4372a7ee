"""Wait for a condition that another process or thread brings about."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Poll `condition` until it holds, and not once more: where two processes answer, the next may differ.

    Raises:
        AssertionError: It did not hold within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"expected within {seconds:g} s, and it did not come"
        time.sleep(0.02)
