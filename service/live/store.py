"""What is done with the store of feedback, each function with a connection: no thread, no cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from service.live import statements
from service.live.database import Connection, ReadingConnection, Row
from service.live.decisions import Changes, Key, decide
from service.live.events import Event, State, StoredEvent
from service.live.statements import MOST_VALUES, Table, padded
from service.live.stored_rows import appended_row, state_of, stored_event
from service.live.tombstones import KEY_NAME, hashed

_Statement = Callable[[int], str]


class Feedback(NamedTuple):
    """What is kept of a user.

    Attributes:
        version: Position of the last change; 0 for a user of whom no state is kept.
        states: The latest of each movie and type.
        counts: Of appended events, by type.
    """

    version: int
    states: list[State]
    counts: dict[str, int]


def apply(connection: Connection, events: Sequence[Event], *, now: int, key: bytes) -> Changes:
    """Store events, within `Connection.transaction`; what they were decided to change.

    Args:
        connection: To write with.
        events: In the order in which they arrived.
        now: Unix seconds.
        key: Of the store.
    """
    pairs = {(event.user_id, event.movie_id) for event in events}
    event_ids = {each.event_id: hashed(each.event_id, key) for each in events if each.event_id is not None}
    known = _known_event_ids(connection, event_ids.values())
    changes = decide(
        events,
        {(each.user_id, each.movie_id, each.type): each for each in _states_of_pairs(connection, pairs)},
        {event_id for event_id, digest in event_ids.items() if digest in known},
        position_of(connection),
        now,
    )
    if changes.is_empty:
        return changes
    put, deleted = _split(changes)
    connection.write_many(statements.PUT_STATE, put)
    connection.write_many(statements.DELETE_STATE, deleted)
    connection.write_many(
        statements.PUT_VERSION,
        [(user.encode(), version) for user, version in sorted(changes.versions.items())],
    )
    connection.write_many(
        statements.APPEND, [appended_row(position, event) for position, event in changes.appended]
    )
    connection.write_many(
        statements.ADD_EVENT_ID, [(event_ids[each], time) for each, time in changes.event_ids.items()]
    )
    connection.write(statements.SET_POSITION, (changes.position,))
    return changes


def forget(connection: Connection, user_id: str, *, now: int, key: bytes) -> int:
    """Delete all that is kept of a user and leave a tombstone, within `Connection.transaction`.

    Returns:
        The tombstone's position.
    """
    position = position_of(connection) + 1
    for statement in statements.FORGET:
        connection.write(statement, (user_id.encode(),))
    connection.write(statements.PUT_TOMBSTONE, (hashed(user_id, key), position, now))
    connection.write(statements.SET_POSITION, (position,))
    return position


def key_of(connection: ReadingConnection, name: str = KEY_NAME) -> bytes:
    """A key of the store, by default that of its hashes."""
    [[key]] = connection.read(statements.KEY, (name,))
    return bytes(key)


def position_of(connection: ReadingConnection) -> int:
    """The position of the last change."""
    [[position]] = connection.read(statements.POSITION)
    return int(position)


def versions_of(connection: Connection, user_ids: Sequence[str]) -> dict[str, int]:
    """The versions of those users of whom states are kept."""
    rows = read_in_parts(connection, statements.versions_of, [each.encode() for each in user_ids])
    return {bytes(user_id).decode(): version for user_id, version in rows}


def states_of(connection: Connection, user_ids: Sequence[str]) -> list[State]:
    """All states of users."""
    rows = read_in_parts(connection, statements.states_of, [each.encode() for each in user_ids])
    return [state_of(row) for row in rows]


def feedback_of(connection: Connection, user_id: str) -> Feedback:
    """What is kept of one user, at one moment."""
    with connection.snapshot():
        version = versions_of(connection, [user_id]).get(user_id, 0)
        states = states_of(connection, [user_id])
        counts = connection.read(statements.COUNT_APPENDED, (user_id.encode(),))
    return Feedback(version, states, {str(type_): int(count) for type_, count in counts})


def export_after(connection: Connection, position: int, most: int) -> list[StoredEvent]:
    """Up to so many events after a position, in its order: states as they are now, and what was appended."""
    rows = connection.read(statements.EXPORT, (position, position, most))
    return [stored_event(row) for row in rows]


def states_in_order(connection: ReadingConnection, part: int) -> Iterator[State]:
    """All states, ordered by user, movie and type, within `ReadingConnection.snapshot`.

    Args:
        connection: To read with.
        part: How many are read at once.
    """
    after: tuple[object, ...] = (b"", b"", "")
    while rows := connection.read(statements.STATES_AFTER, (*after, part)):
        yield from map(state_of, rows)
        after = rows[-1][:3]


def rows_in_parts(connection: ReadingConnection, table: Table, part: int) -> Iterator[list[Row]]:
    """All rows of a table in the order of its key, so many at once, within `ReadingConnection.snapshot`."""
    rows = connection.read(table.select(after=False), (part,))
    while rows:
        yield rows
        rows = connection.read(table.select(after=True), (*rows[-1][: len(table.key)], part))


def records_imported(connection: Connection, import_id: str) -> int:
    """How many records of an import are stored."""
    rows = connection.read(statements.IMPORTED, (import_id.encode(),))
    return int(rows[0][0]) if rows else 0


def note_import(connection: Connection, import_id: str, records: int) -> None:
    """Note how many records of an import are stored, within the transaction that stores them."""
    connection.write(statements.PUT_IMPORTED, (import_id.encode(), records))


def read_in_parts(connection: Connection, statement: _Statement, values: Sequence[object]) -> Iterator[Row]:
    """Rows of a statement that takes some of many values, all of them in few statements."""
    for start in range(0, len(values), MOST_VALUES):
        part = padded(values[start : start + MOST_VALUES])
        yield from connection.read(statement(len(part)), part)


def _states_of_pairs(connection: Connection, pairs: Iterable[tuple[str, str]]) -> Iterator[State]:
    # In the order of the index: of a large import the same pages are read once.
    encoded = sorted((user_id.encode(), movie_id.encode()) for user_id, movie_id in pairs)
    return map(state_of, connection.read_for(statements.STATES_OF_PAIRS, encoded))


def _known_event_ids(connection: Connection, digests: Iterable[bytes]) -> set[bytes]:
    return {bytes(digest) for (digest,) in read_in_parts(connection, statements.known_event_ids, [*digests])}


def _split(changes: Changes) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Rows of states to put and keys of states to delete, in the order of the index."""
    put: list[tuple[object, ...]] = []
    deleted: list[tuple[object, ...]] = []
    for key, state in sorted(changes.states.items(), key=_key_of):
        user_id, movie_id, type_ = key
        where = (user_id.encode(), movie_id.encode(), type_)
        if state is None:
            deleted.append(where)
        else:
            put.append((*where, state.value, state.timestamp, state.position))
    return put, deleted


def _key_of(item: tuple[Key, State | None]) -> Key:
    return item[0]
