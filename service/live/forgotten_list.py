"""The list of who was forgotten, kept beside backups: a store restored from before would know them again.

It holds the tombstones' hashes and no ids. Only a store with the same key can use it: a restored backup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from service.errors import StoreRefused
from service.live import statements
from service.live.database import Connection, ReadingConnection
from service.live.store import key_of, position_of, rows_in_parts
from service.live.tombstones import hashed

_PART = 20_000
"""Rows read at once."""


@dataclass(frozen=True)
class ForgottenList:
    """Who was forgotten in a store by some moment.

    Attributes:
        store: Fingerprint of its key.
        position: Of the store.
        tombstones: By hash, the position and Unix seconds of each.
    """

    store: str
    position: int
    tombstones: Mapping[bytes, tuple[int, int]]

    @classmethod
    def of(cls, connection: ReadingConnection) -> ForgottenList:
        """Of a store."""
        with connection.snapshot():
            rows = connection.read(statements.TOMBSTONES)
            tombstones = {bytes(digest): (position, timestamp) for digest, position, timestamp in rows}
            return cls(_fingerprint(key_of(connection)), position_of(connection), tombstones)

    @classmethod
    def from_lines(cls, lines: Sequence[str]) -> ForgottenList:
        """Of what `lines` made.

        Raises:
            StoreRefused: It is something else.
        """
        try:
            head, *rows = map(json.loads, lines)
            tombstones = {
                bytes.fromhex(row["user_hash"]): (int(row["position"]), int(row["timestamp"])) for row in rows
            }
            return cls(str(head["store"]), int(head["position"]), tombstones)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreRefused(
                f"expected a list of `matinee store forgotten`, got other text ({error})"
            ) from error

    def lines(self) -> Iterator[str]:
        """JSON: what store it is of, then a line for each tombstone, in the order of positions."""
        yield json.dumps({"store": self.store, "position": self.position})
        for digest, (position, timestamp) in self.tombstones.items():
            yield json.dumps({"user_hash": digest.hex(), "position": position, "timestamp": timestamp})


def forget_again(connection: Connection, listed: ForgottenList) -> tuple[int, int]:
    """Forget who is on a list and not yet, or no longer, forgotten in a store; safe to be repeated.

    New tombstones, and all that is posted from now on, have positions after those of the list, so no position
    that was answered before a backup was restored means something else afterwards.

    Args:
        connection: To write with.
        listed: Of the same store, at a later moment.

    Returns:
        How many users were forgotten, and how many of those had rows in the store.

    Raises:
        StoreRefused: The list is another store's.
    """
    key = key_of(connection)
    if listed.store != _fingerprint(key):
        raise StoreRefused(
            f"expected a list of the store whose key has the fingerprint {_fingerprint(key)}, got one of "
            f"{listed.store}: its hashes mean nothing here"
        )
    with connection.transaction():
        own = {
            bytes(digest): position for digest, position in connection.read(statements.NEW_TOMBSTONES, (0,))
        }
        missing = {
            digest: timestamp
            for digest, (position, timestamp) in listed.tombstones.items()
            if own.get(digest, 0) < position
        }
        found = {user_id for user_id in _user_ids(connection) if hashed(user_id.decode(), key) in missing}
        for user_id in found:
            for statement in statements.FORGET:
                connection.write(statement, (user_id,))
        position = max(position_of(connection), listed.position)
        rows = [(digest, position + n, timestamp) for n, (digest, timestamp) in enumerate(missing.items(), 1)]
        connection.write_many(statements.PUT_TOMBSTONE, rows)
        connection.write(statements.SET_POSITION, (position + len(rows),))
    connection.overwrite_deleted()
    return len(missing), len(found)


def _user_ids(connection: Connection) -> Iterator[bytes]:
    """The ids of all users of whom anything is kept; some come more than once."""
    for table in (statements.USERS, statements.APPENDED):
        column = (table.key + table.others).index("user_id")
        for rows in rows_in_parts(connection, table, _PART):
            yield from (bytes(row[column]) for row in rows)


def _fingerprint(key: bytes) -> str:
    return blake2b(key=key, digest_size=8).hexdigest()
