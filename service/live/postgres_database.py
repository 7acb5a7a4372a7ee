"""PostgreSQL as the store's database, for several replicas of the service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from itertools import islice

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from service.errors import StoreAway, StoreError, StoreFull, StoreRefused
from service.live.database import Connection, ReadingConnection, Row

READ_SECONDS = 0.5
"""How long a batch waits for the database before it is answered without."""
_CONNECT_SECONDS = 2
_STATEMENT_MS = 20_000
"""Also how long a writer waits for the others; one that stopped within a transaction is ended sooner."""
_IDLE_IN_TRANSACTION_MS = 10_000
_MOST_POOLED = 4
_COPIED = 100
"""Rows from which on they are copied instead of sent one by one."""
_LOCK = 6_281_348_771_052_338_274
"""Of all writers: a number that nothing else in the database uses."""
_INSERT = re.compile(r"INSERT INTO (\w+) \(([\w, ]+)\) VALUES \([?, ]+\)(.*)")


class PostgresDatabase:
    """A database of PostgreSQL 15 or newer.

    Args:
        url: `postgresql://user:password@host/database`; what it lacks comes from libpq's variables, such as
            PGPASSWORD.
        password: Where the URL has none.
    """

    clustered = ""
    patience_seconds: float | None = READ_SECONDS

    def __init__(self, url: str, *, password: str | None = None) -> None:
        settings: dict[str, str | int | None] = {
            "connect_timeout": _CONNECT_SECONDS,
            "tcp_user_timeout": 1000 * _CONNECT_SECONDS,
            "keepalives_idle": 10,
            "application_name": "matinee",
            # Of a database without an encoding (SQL_ASCII) text would be bytes.
            "client_encoding": "UTF8",
        }
        if password is not None:
            settings["password"] = password
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error as error:
            raise StoreRefused(
                f"MATINEE_STORE: expected postgresql://..., got another text ({error})"
            ) from error
        self._conninfo = make_conninfo("", **(settings | dict(given)))
        place = given.get("host") or given.get("hostaddr") or "localhost"
        self.name = f"PostgreSQL at {place}, database {given.get('dbname') or given.get('user') or 'default'}"
        self._pool: ConnectionPool[psycopg.Connection[Row]] | None = None

    def connect(self) -> Connection:
        """Open a connection of one's own.

        Raises:
            StoreAway: The database cannot be reached.
        """
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            raise translated(error, self.name) from error
        try:
            return PostgresConnection(connection, self.name)
        except StoreError:
            connection.close()
            raise

    @contextmanager
    def borrow(self) -> Iterator[Connection]:
        """A connection for a moment, from a pool.

        Raises:
            StoreAway: There is none in time.
        """
        if self._pool is None:  # not before a fork: it has threads
            self._pool = ConnectionPool(
                self._conninfo,
                min_size=0,
                max_size=_MOST_POOLED,
                timeout=_CONNECT_SECONDS,
                reconnect_timeout=_CONNECT_SECONDS,
                max_idle=60,
                check=ConnectionPool.check_connection,
                kwargs={"autocommit": True},
                open=True,
            )
        try:
            with self._pool.connection() as connection:
                yield PostgresConnection(connection, self.name)
        except PoolTimeout as error:
            raise StoreAway(f"{self.name}: it cannot be reached ({error})") from error

    @contextmanager
    def reading(self) -> Iterator[ReadingConnection]:
        """A connection that is closed after the block."""
        with closing(self.connect()) as connection:
            yield connection

    def is_missing_table(self, error: Exception) -> bool:
        """Whether the cause of an error is a table that is not there."""
        return isinstance(error.__cause__, errors.UndefinedTable)

    def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


class PostgresConnection:
    """A connection. A lock that ends with the transaction has writers of all replicas wait in line."""

    def __init__(self, connection: psycopg.Connection[Row], name: str) -> None:
        self._connection = connection
        self._name = name
        self.write(f"SET statement_timeout = {_STATEMENT_MS}")
        self.write(f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS}")

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement."""
        try:
            return self._connection.execute(_query(sql), values).fetchall()
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    def read_for(self, sql: str, pairs: Sequence[tuple[bytes, bytes]]) -> Iterable[Row]:
        """All rows of a statement about pairs."""
        if not pairs:
            return ()
        columns = [[*column] for column in zip(*pairs, strict=True)]
        return self.read(sql.format(wanted="SELECT * FROM unnest(%b, %b)"), columns)

    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        try:
            self._connection.execute(_query(sql), values)
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    def write_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row; many that are inserted are copied into a table first."""
        remaining = iter(rows)
        first = list(islice(remaining, _COPIED))
        if not first:
            return
        inserts = _INSERT.fullmatch(sql)
        try:
            if inserts is None or len(first) < _COPIED:
                with self._connection.cursor() as cursor:
                    cursor.executemany(_query(sql), [*first, *remaining])
                return
            table, columns, conflict = inserts.groups()
            self._copy(table, columns, conflict, first, remaining)
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit durably what the block writes, or nothing of it where it raises."""
        try:
            with self._connection.transaction():
                self._connection.execute(_query("SELECT pg_advisory_xact_lock(?)"), (_LOCK,))
                yield
        except psycopg.Error as error:
            raise translated(error, self._name) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that the block reads be of one moment."""
        self.write("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            with suppress(psycopg.Error):
                self._connection.execute(_query("ROLLBACK"))

    def overwrite_deleted(self) -> None:
        """Do nothing: PostgreSQL's vacuum does it in time."""

    def has_changed(self) -> bool:
        """True: only the tables know."""
        return True

    def close(self) -> None:
        """Give it up."""
        with suppress(psycopg.Error):
            self._connection.close()

    def _copy(
        self,
        table: str,
        columns: str,
        conflict: str,
        first: Sequence[Sequence[object]],
        remaining: Iterable[Sequence[object]],
    ) -> None:
        copied = f"copied_{table}"
        execute = self._connection.execute
        execute(_query(f"CREATE TEMP TABLE IF NOT EXISTS {copied} (LIKE {table}) ON COMMIT DELETE ROWS"))
        with (
            self._connection.cursor() as cursor,
            cursor.copy(_query(f"COPY {copied} ({columns}) FROM STDIN")) as copy,
        ):
            for part in (first, remaining):
                for row in part:
                    copy.write_row(row)
        names = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {copied}{conflict}"  # noqa: S608 our own
        execute(_query(names))
        execute(_query(f"TRUNCATE {copied}"))


@lru_cache(512)
def _query(sql: str) -> str:
    return sql.replace("?", "%s")


def translated(error: psycopg.Error, name: str) -> StoreError:
    """What an error of the database means for the store."""
    said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, errors.DiskFull):
        return StoreFull(f"{name}: the disk is full ({said}); nothing was stored, reading goes on")
    return StoreAway(f"{name}: the store cannot be used ({said}); nothing was stored")
