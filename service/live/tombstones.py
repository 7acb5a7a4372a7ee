"""Forgotten users: known by a keyed hash of their ids, so that what masks them does not name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

KEY_NAME = "tombstones"
KEY_BYTES = 32
_HASH_BYTES = 32


def hashed(user_id: str, key: bytes) -> bytes:
    """The hash under which a user is known to be forgotten: without the key ids cannot be tried."""
    return blake2b(user_id.encode(), key=key, digest_size=_HASH_BYTES).digest()


class Tombstones:
    """The users who were forgotten, and since which position of the store.

    Args:
        key: Of the store.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._positions: dict[bytes, int] = {}
        self.last_position = 0

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Add hashes with their positions."""
        for user_hash, position in rows:
            self._positions[bytes(user_hash)] = position
            self.last_position = max(self.last_position, position)

    def of(self, user_ids: Iterable[str]) -> Mapping[str, int]:
        """Those of some users who were forgotten, each with the position."""
        if not self._positions:
            return {}
        positions = ((user_id, self._positions.get(hashed(user_id, self._key))) for user_id in user_ids)
        return {user_id: position for user_id, position in positions if position is not None}
