"""The SQL of the store, once for SQLite and PostgreSQL: `?` stands for a value, ids are UTF-8 bytes.

Bytes, because PostgreSQL's text has no NUL, and because bytes compare alike in every database and locale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

SCHEMA_VERSION = 2

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE feedback_keys (name TEXT PRIMARY KEY, value BYTEA NOT NULL)",
        "CREATE TABLE feedback_state (user_id BYTEA NOT NULL, movie_id BYTEA NOT NULL, type TEXT NOT NULL, "
        "value DOUBLE PRECISION, timestamp BIGINT NOT NULL, position BIGINT NOT NULL, "
        "PRIMARY KEY (user_id, movie_id, type)){clustered}",
        "CREATE INDEX feedback_state_position ON feedback_state (position)",
        "CREATE TABLE feedback_users (user_id BYTEA PRIMARY KEY, version BIGINT NOT NULL){clustered}",
        "CREATE TABLE feedback_appended (position BIGINT PRIMARY KEY, user_id BYTEA NOT NULL, "
        "movie_id BYTEA NOT NULL, type TEXT NOT NULL, timestamp BIGINT NOT NULL, event_id BYTEA, "
        "recommendation_id BYTEA, rank BIGINT){clustered}",
        "CREATE INDEX feedback_appended_user ON feedback_appended (user_id)",
        "CREATE INDEX feedback_appended_timestamp ON feedback_appended (timestamp)",
        "CREATE TABLE feedback_event_ids (event_id BYTEA PRIMARY KEY, timestamp BIGINT NOT NULL){clustered}",
        "CREATE INDEX feedback_event_ids_timestamp ON feedback_event_ids (timestamp)",
        "CREATE TABLE feedback_tombstones (user_hash BYTEA PRIMARY KEY, position BIGINT NOT NULL, "
        "timestamp BIGINT NOT NULL){clustered}",
        "CREATE INDEX feedback_tombstones_position ON feedback_tombstones (position)",
        "CREATE TABLE feedback_movies (movie_id BYTEA PRIMARY KEY, available BIGINT NOT NULL, "
        "position BIGINT NOT NULL){clustered}",
        "CREATE INDEX feedback_movies_position ON feedback_movies (position)",
        "CREATE TABLE feedback_imports (import_id BYTEA PRIMARY KEY, records BIGINT NOT NULL){clustered}",
        "INSERT INTO feedback_facts (name, value) VALUES ('position', 0)",
    ),
    (
        "ALTER TABLE feedback_movies ADD COLUMN title BYTEA",
        "ALTER TABLE feedback_movies ADD COLUMN genres BYTEA",
        "ALTER TABLE feedback_movies ADD COLUMN year BIGINT",
    ),
)
"""What each version of the schema adds to the one before it."""


@dataclass(frozen=True)
class Table:
    """A table, for what treats all of them alike.

    Attributes:
        name: Of the table.
        key: Columns of its primary key.
        others: Its other columns.
    """

    name: str
    key: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def count(self) -> str:
        """The number of its rows."""
        return f"SELECT COUNT(*) FROM {self.name}"  # noqa: S608 names of our own

    @property
    def insert(self) -> str:
        """A row, in the order of `select`."""
        columns = self.key + self.others
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({_marks(len(columns))})"  # noqa: S608 as above

    def select(self, *, after: bool) -> str:
        """Rows in the order of the key, from the first one or after a key."""
        key = ", ".join(self.key)
        where = f" WHERE ({key}) > ({_marks(len(self.key))})" if after else ""
        columns = ", ".join(self.key + self.others)
        return f"SELECT {columns} FROM {self.name}{where} ORDER BY {key} LIMIT ?"  # noqa: S608 as above


KEYS = Table("feedback_keys", ("name",), ("value",))
USERS = Table("feedback_users", ("user_id",), ("version",))
APPENDED = Table(
    "feedback_appended",
    ("position",),
    ("user_id", "movie_id", "type", "timestamp", "event_id", "recommendation_id", "rank"),
)
TABLES = (
    KEYS,
    Table("feedback_state", ("user_id", "movie_id", "type"), ("value", "timestamp", "position")),
    USERS,
    APPENDED,
    Table("feedback_event_ids", ("event_id",), ("timestamp",)),
    Table("feedback_tombstones", ("user_hash",), ("position", "timestamp")),
    Table("feedback_movies", ("movie_id",), ("title", "genres", "year", "available", "position")),
    Table("feedback_imports", ("import_id",), ("records",)),
)
"""All but `feedback_facts`, of which only the position is a store's own."""

CREATE_FACTS = "CREATE TABLE IF NOT EXISTS feedback_facts (name TEXT PRIMARY KEY, value BIGINT NOT NULL)"
"""`position` is the store's, `schema` the number of migrations done."""
SCHEMA = "SELECT value FROM feedback_facts WHERE name = 'schema'"
SET_SCHEMA = (
    "INSERT INTO feedback_facts (name, value) VALUES ('schema', ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
ADD_KEY = "INSERT INTO feedback_keys (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
KEY = "SELECT value FROM feedback_keys WHERE name = ?"
DELETE_KEYS = "DELETE FROM feedback_keys"

POSITION = "SELECT value FROM feedback_facts WHERE name = 'position'"
SET_POSITION = "UPDATE feedback_facts SET value = ? WHERE name = 'position'"

PUT_STATE = (
    "INSERT INTO feedback_state (user_id, movie_id, type, value, timestamp, position) VALUES (?, ?, ?, ?, "
    "?, ?) "
    "ON CONFLICT (user_id, movie_id, type) DO UPDATE SET value = excluded.value, "
    "timestamp = excluded.timestamp, position = excluded.position"
)
DELETE_STATE = "DELETE FROM feedback_state WHERE user_id = ? AND movie_id = ? AND type = ?"
PUT_VERSION = (
    "INSERT INTO feedback_users (user_id, version) VALUES (?, ?) "
    "ON CONFLICT (user_id) DO UPDATE SET version = excluded.version"
)
APPEND = (
    "INSERT INTO feedback_appended (position, user_id, movie_id, type, timestamp, event_id, "
    "recommendation_id, "
    "rank) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_EVENT_ID = (
    "INSERT INTO feedback_event_ids (event_id, timestamp) VALUES (?, ?) ON CONFLICT (event_id) DO NOTHING"
)

HAS_ANY = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM feedback_users) OR EXISTS (SELECT 1 FROM feedback_tombstones) "
    "OR EXISTS (SELECT 1 FROM feedback_movies)"
)
LAST_TOMBSTONE = "SELECT MAX(position) FROM feedback_tombstones"
NEW_TOMBSTONES = "SELECT user_hash, position FROM feedback_tombstones WHERE position > ?"
PUT_TOMBSTONE = (
    "INSERT INTO feedback_tombstones (user_hash, position, timestamp) VALUES (?, ?, ?) "
    "ON CONFLICT (user_hash) DO UPDATE SET position = excluded.position, timestamp = excluded.timestamp"
)
TOMBSTONES = "SELECT user_hash, position, timestamp FROM feedback_tombstones ORDER BY position"
COUNT_APPENDED = "SELECT type, COUNT(*) FROM feedback_appended WHERE user_id = ? GROUP BY type"
FORGET = (
    "DELETE FROM feedback_appended WHERE user_id = ?",
    "DELETE FROM feedback_state WHERE user_id = ?",
    "DELETE FROM feedback_users WHERE user_id = ?",
)
"""Each for one user."""

EXPIRED_EVENT_IDS = "SELECT event_id FROM feedback_event_ids WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
DELETE_EVENT_ID = "DELETE FROM feedback_event_ids WHERE event_id = ?"
EXPIRED_APPENDED = "SELECT position FROM feedback_appended WHERE timestamp < ? ORDER BY timestamp LIMIT ?"
DELETE_APPENDED = "DELETE FROM feedback_appended WHERE position = ?"

NEW_MOVIES = (
    "SELECT movie_id, title, genres, year, available, position FROM feedback_movies WHERE position > ? "
    "ORDER BY position LIMIT ?"
)
PUT_MOVIE = (
    "INSERT INTO feedback_movies (movie_id, title, genres, year, available, position) "
    "VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (movie_id) DO UPDATE SET title = excluded.title, genres = excluded.genres, "
    "year = excluded.year, available = excluded.available, position = excluded.position"
)

IMPORTED = "SELECT records FROM feedback_imports WHERE import_id = ?"
PUT_IMPORTED = (
    "INSERT INTO feedback_imports (import_id, records) VALUES (?, ?) "
    "ON CONFLICT (import_id) DO UPDATE SET records = excluded.records"
)

# The casts say what the columns of NULL are.
EXPORT = (
    "SELECT position, user_id, movie_id, type, value, timestamp, CAST(NULL AS BYTEA), CAST(NULL AS BYTEA), "
    "CAST(NULL AS BIGINT) FROM feedback_state WHERE position > ? UNION ALL "
    "SELECT position, user_id, movie_id, type, CAST(NULL AS DOUBLE PRECISION), timestamp, event_id, "
    "recommendation_id, rank FROM feedback_appended WHERE position > ? ORDER BY 1 LIMIT ?"
)
"""After a position, in its order: both tables have an index on it."""


def versions_of(count: int) -> str:
    """Versions of users, by id."""
    return f"SELECT user_id, version FROM feedback_users WHERE user_id IN ({_marks(count)})"  # noqa: S608 marks only


def states_of(count: int) -> str:
    """States of users, by id."""
    return (
        "SELECT user_id, movie_id, type, value, timestamp, position FROM feedback_state "  # noqa: S608 as above
        f"WHERE user_id IN ({_marks(count)})"
    )


def movies_of(count: int) -> str:
    """Movies that were put, by id."""
    return (
        "SELECT movie_id, title, genres, year, available, position FROM feedback_movies "  # noqa: S608 as above
        f"WHERE movie_id IN ({_marks(count)})"
    )


STATES_AFTER = (
    "SELECT user_id, movie_id, type, value, timestamp, position FROM feedback_state "
    "WHERE (user_id, movie_id, type) > (?, ?, ?) ORDER BY user_id, movie_id, type LIMIT ?"
)
"""After a key, in the order of the primary key."""

STATES_OF_PAIRS = (
    "WITH wanted (user_id, movie_id) AS ({wanted}) "
    "SELECT s.user_id, s.movie_id, s.type, s.value, s.timestamp, s.position FROM wanted w "
    "JOIN feedback_state s ON s.user_id = w.user_id AND s.movie_id = w.movie_id"
)
"""For `Connection.read_for`: states of pairs of a user and a movie."""


def known_event_ids(count: int) -> str:
    """Those of some event ids that are stored."""
    return f"SELECT event_id FROM feedback_event_ids WHERE event_id IN ({_marks(count)})"  # noqa: S608 as above


MOST_VALUES = 512


def padded(values: Sequence[T]) -> list[T]:
    """Values, the last one repeated up to a power of two: so few numbers of marks make few statements."""
    length = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (length - len(values))]


def _marks(count: int) -> str:
    return ", ".join("?" * count)
