"""How long batches take, learned from those before: what is quick need not go to another thread."""

from __future__ import annotations

AT_ONCE_SECONDS = 0.01
"""The longest that a batch may be expected to hold up an event loop: health checks are behind it."""

_TRIAL_BATCHES = 8
"""Until so many were timed, nothing is known."""
_WEIGHT = 1 / 16
_MOST_GROWTH = 4


class Pace:
    """A moving average of the seconds that a query takes in its batch, for one bundle at a time."""

    def __init__(self) -> None:
        self._bundle_id = ""
        self._num_batches = 0
        self._seconds = 0.0

    def took(self, bundle_id: str, num_queries: int, seconds: float) -> None:
        """A batch was worked on for so long."""
        if bundle_id != self._bundle_id:
            self._bundle_id, self._num_batches, self._seconds = bundle_id, 0, 0.0
        self._num_batches += 1
        each = seconds / num_queries
        if self._num_batches > _TRIAL_BATCHES:
            # A batch that had to wait for the processor says nothing of the next one; many of them do.
            each = min(each, _MOST_GROWTH * self._seconds)
        # A plain mean at first, or the first batch would weigh as much as the sixteen after it.
        weight = max(_WEIGHT, 1 / self._num_batches)
        self._seconds += weight * (each - self._seconds)

    def is_quick(self, bundle_id: str, num_queries: int) -> bool:
        """Whether a batch of so many can be expected to take no longer than `AT_ONCE_SECONDS`."""
        is_known = bundle_id == self._bundle_id and self._num_batches >= _TRIAL_BATCHES
        return is_known and num_queries * self._seconds <= AT_ONCE_SECONDS
