"""What is done with the store of feedback, each function with a connection: no thread, no cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from service.live import statements
from service.live.database import Connection, ReadingConnection, Row
from service.live.decisions import Changes, Key, decide
from service.live.events import Event, State, StoredEvent
from service.live.posted_movies import MoviePut, PostedMovie, PutOutcome
from service.live.statements import MOST_VALUES, Table, padded
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
        statements.APPEND, [_appended(position, event) for position, event in changes.appended]
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


def put_movies(connection: Connection, puts: Sequence[MoviePut]) -> PutOutcome:
    """Note what is given of movies, one after another, within `Connection.transaction`."""
    position = position_of(connection)
    by_id = {put.movie_id: PostedMovie(put.movie_id) for put in puts}
    rows = _in_parts(connection, statements.movies_of, [movie_id.encode() for movie_id in by_id])
    former = {movie.movie_id: movie for movie, _ in map(_posted_movie, rows)}
    by_id |= former
    changed: dict[str, int] = {}
    unchanged = 0
    for put in puts:
        movie = by_id[put.movie_id].changed_by(put)
        if movie == by_id[put.movie_id] and (put.movie_id in former or put.movie_id in changed):
            unchanged += 1
            continue
        position += 1
        by_id[put.movie_id] = movie
        changed[put.movie_id] = position
    if changed:
        connection.write_many(
            statements.PUT_MOVIE, [_movie_row(by_id[each], at) for each, at in changed.items()]
        )
        connection.write(statements.SET_POSITION, (position,))
    return PutOutcome(len(puts) - unchanged, unchanged, position)


def movies_after(connection: Connection, position: int, most: int) -> list[tuple[PostedMovie, int]]:
    """Up to so many movies that were put after a position, each with its own, in their order."""
    return [_posted_movie(row) for row in connection.read(statements.NEW_MOVIES, (position, most))]


def compact(connection: Connection, *, event_ids_before: int, appended_before: int, most: int) -> bool:
    """Delete event ids and appended events that are too old, in a transaction of its own where there are any.

    Args:
        connection: To write with.
        event_ids_before: Unix seconds before which ids must have been stored.
        appended_before: Unix seconds before which clicks and impressions must have been.
        most: Of each at once: others that write wait for so many.

    Returns:
        Whether there may be more.
    """
    event_ids = connection.read(statements.EXPIRED_EVENT_IDS, (event_ids_before, most))
    appended = connection.read(statements.EXPIRED_APPENDED, (appended_before, most))
    if not event_ids and not appended:
        return False
    with connection.transaction():
        connection.write_many(statements.DELETE_EVENT_ID, event_ids)
        connection.write_many(statements.DELETE_APPENDED, appended)
    return most in (len(event_ids), len(appended))


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
    rows = _in_parts(connection, statements.versions_of, [each.encode() for each in user_ids])
    return {bytes(user_id).decode(): version for user_id, version in rows}


def states_of(connection: Connection, user_ids: Sequence[str]) -> list[State]:
    """All states of users."""
    rows = _in_parts(connection, statements.states_of, [each.encode() for each in user_ids])
    return [_state(row) for row in rows]


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
    return [_stored_event(row) for row in rows]


def states_in_order(connection: ReadingConnection, part: int) -> Iterator[State]:
    """All states, ordered by user, movie and type, within `ReadingConnection.snapshot`.

    Args:
        connection: To read with.
        part: How many are read at once.
    """
    after: tuple[object, ...] = (b"", b"", "")
    while rows := connection.read(statements.STATES_AFTER, (*after, part)):
        yield from map(_state, rows)
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


def _states_of_pairs(connection: Connection, pairs: Iterable[tuple[str, str]]) -> Iterator[State]:
    # In the order of the index: of a large import the same pages are read once.
    encoded = sorted((user_id.encode(), movie_id.encode()) for user_id, movie_id in pairs)
    return map(_state, connection.read_for(statements.STATES_OF_PAIRS, encoded))


def _known_event_ids(connection: Connection, digests: Iterable[bytes]) -> set[bytes]:
    return {bytes(digest) for (digest,) in _in_parts(connection, statements.known_event_ids, [*digests])}


def _in_parts(connection: Connection, statement: _Statement, values: Sequence[object]) -> Iterator[Row]:
    for start in range(0, len(values), MOST_VALUES):
        part = padded(values[start : start + MOST_VALUES])
        yield from connection.read(statement(len(part)), part)


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


def _movie_row(movie: PostedMovie, position: int) -> tuple[object, ...]:
    genres = None if movie.genres is None else json.dumps(movie.genres).encode()
    title = _bytes(movie.title)
    return (movie.movie_id.encode(), title, genres, movie.year, int(movie.available), position)


def _posted_movie(row: Row) -> tuple[PostedMovie, int]:
    movie_id, title, genres, year, available, position = row
    listed = None if genres is None else tuple(json.loads(bytes(genres)))
    movie = PostedMovie(bytes(movie_id).decode(), _text(title), listed, year, bool(available))
    return movie, position


def _appended(position: int, event: Event) -> tuple[object, ...]:
    return (
        position,
        event.user_id.encode(),
        event.movie_id.encode(),
        event.type,
        event.timestamp,
        _bytes(event.event_id),
        _bytes(event.recommendation_id),
        event.rank,
    )


def _state(row: Row) -> State:
    user_id, movie_id, type_, value, timestamp, position = row
    return State(bytes(user_id).decode(), bytes(movie_id).decode(), type_, value, timestamp, position)


def _stored_event(row: Row) -> StoredEvent:
    position, user_id, movie_id, type_, value, timestamp, event_id, recommendation_id, rank = row
    event = Event(
        bytes(user_id).decode(),
        bytes(movie_id).decode(),
        type_,
        value,
        timestamp,
        _text(event_id),
        _text(recommendation_id),
        rank,
    )
    return StoredEvent(position, event)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _text(stored: bytes | None) -> str | None:
    return None if stored is None else bytes(stored).decode()
