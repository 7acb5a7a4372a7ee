"""Slow those who guess keys: after some unknown keys from an address, further ones are not even looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_GUESSES = 100
"""Unknown keys from one address within `WINDOW_SECONDS`, in each worker."""
WINDOW_SECONDS = 60
_MOST_ADDRESSES = 10_000


@dataclass
class _Address:
    """What came from one address within the present window.

    Attributes:
        until: When the window ends.
        guesses: Unknown keys.
        right: Digests of keys that were right: they are accepted, also from an address that guesses.
    """

    until: float
    guesses: int = 0
    right: set[bytes] = field(default_factory=set)


class KeyGuesses:
    """Counts unknown keys by address.

    Args:
        now: A clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._addresses: dict[str, _Address] = {}

    def is_slowed(self, address: str, digest: bytes) -> bool:
        """Whether a key from an address is not to be looked at now."""
        found = self._addresses.get(address)
        if found is None or found.guesses < MOST_GUESSES:
            return False
        if self._now() >= found.until:
            found.guesses = 0
            return False
        return digest not in found.right

    def wrong(self, address: str) -> None:
        """Note an unknown key."""
        found = self._of(address)
        now = self._now()
        if now >= found.until:
            found.until, found.guesses = now + WINDOW_SECONDS, 0
        found.guesses += 1

    def right(self, address: str, digest: bytes) -> None:
        """Note a key that is one."""
        found = self._addresses.get(address)
        if found is None or digest not in found.right:
            self._of(address).right.add(digest)

    def _of(self, address: str) -> _Address:
        found = self._addresses.get(address)
        if found is None:
            if len(self._addresses) >= _MOST_ADDRESSES:
                del self._addresses[next(iter(self._addresses))]
            found = self._addresses[address] = _Address(self._now() + WINDOW_SECONDS)
        return found
