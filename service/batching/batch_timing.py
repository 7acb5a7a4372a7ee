"""Estimate how long a batch takes, to decide whether the event loop can answer it itself."""

from __future__ import annotations

QUICK_SECONDS = 0.01
"""The longest that a batch may be expected to block the event loop: health checks wait behind it."""

_TRIAL_BATCHES = 8
"""Batches that are timed before there is an estimate."""
_WEIGHT = 1 / 16
_MOST_GROWTH = 4


class BatchTiming:
    """A moving average of the seconds that one query of a batch takes."""

    def __init__(self) -> None:
        self._num_batches = 0
        self._seconds = 0.0

    def add(self, num_queries: int, seconds: float) -> None:
        """Add the time of one batch."""
        self._num_batches += 1
        each = seconds / num_queries
        if self._num_batches > _TRIAL_BATCHES:
            # A batch that had to wait for the processor says nothing of the next one; many of them do.
            each = min(each, _MOST_GROWTH * self._seconds)
        # A plain mean at first, or the first batch would weigh as much as the sixteen after it.
        weight = max(_WEIGHT, 1 / self._num_batches)
        self._seconds += weight * (each - self._seconds)

    def is_quick(self, num_queries: int) -> bool:
        """Whether a batch of so many queries is expected to take at most `QUICK_SECONDS`."""
        return self._num_batches >= _TRIAL_BATCHES and num_queries * self._seconds <= QUICK_SECONDS
