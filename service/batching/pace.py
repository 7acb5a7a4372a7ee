"""How long batches take, learned from those before: what is quick need not go to another thread."""

from __future__ import annotations

AT_ONCE_SECONDS = 0.01
"""The longest that a batch may be expected to hold up an event loop: health checks are behind it."""

_TRIAL_BATCHES = 8
"""Until so many were timed, nothing is known."""
_WEIGHT = 1 / 16
_MOST_GROWTH = 4


class Pace:
    """A moving average of the seconds that a query takes in its batch.

    A new bundle is taken to be as quick as the one before it until its own batches are timed, of which the
    first few weigh most.
    """

    def __init__(self) -> None:
        self._bundle_id = ""
        self._num_batches = 0
        self._is_known = False
        self._seconds = 0.0

    def took(self, bundle_id: str, num_queries: int, seconds: float) -> None:
        """A batch was worked on for so long."""
        if bundle_id != self._bundle_id:
            self._bundle_id, self._num_batches = bundle_id, int(self._is_known)
        self._num_batches += 1
        self._is_known |= self._num_batches >= _TRIAL_BATCHES
        each = seconds / num_queries
        if self._is_known:
            # A batch that had to wait for the processor says nothing of the next one; many of them do.
            each = min(each, _MOST_GROWTH * self._seconds)
        # A plain mean at first, or the first batch would weigh as much as the sixteen after it.
        weight = max(_WEIGHT, 1 / self._num_batches)
        self._seconds += weight * (each - self._seconds)

    def is_quick(self, num_queries: int) -> bool:
        """Whether a batch of so many can be expected to take no longer than `AT_ONCE_SECONDS`."""
        return self._is_known and num_queries * self._seconds <= AT_ONCE_SECONDS
