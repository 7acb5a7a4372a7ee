"""SQLite's file opened to be read only: beside a service that writes, and where nothing can be written.

A database with a write-ahead log is read through the files `-wal` and `-shm`. While the service runs they are
there. Afterwards they are gone, and on a mount that cannot be written to SQLite cannot make them: there the
file is taken to be all there is, and after the block seen to have stayed as it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from service.errors import StoreAway, StoreError, StoreRefused
from service.live.database import Row

_BUSY_SECONDS = 5.0


@contextmanager
def read_only(path: Path) -> Iterator[ReadOnlySqlite]:
    """Open the file for a block that reads.

    Args:
        path: The file; nothing is made where it is missing.

    Raises:
        StoreAway: It is missing or cannot be read, or a service began to write while it was read.
        StoreRefused: It is no database.
    """
    if not path.is_file():
        raise StoreAway(
            f"{path}: expected a store of feedback, got no such file; give the path that the service has as "
            "MATINEE_STORE"
        )
    before = _state(path)
    connection = _opened(path, "mode=ro")
    if is_whole := connection is None and not before[-1]:
        connection = _opened(path, "mode=ro&immutable=1")
    if connection is None:
        raise StoreAway(f"{path}: cannot be opened; expected it and its -wal and -shm to be readable")
    with closing(connection):
        yield ReadOnlySqlite(connection, path)
    if is_whole and _state(path) != before:
        raise StoreAway(f"{path}: a service began to write to it while it was read; try again")


class ReadOnlySqlite:
    """A connection that only reads."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._sqlite = connection
        self._path = path

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement."""
        try:
            return self._sqlite.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that the block reads be of one moment."""
        self.read("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._sqlite.execute("ROLLBACK")


def _opened(path: Path, how: str) -> sqlite3.Connection | None:
    """A connection that has read the file; None where SQLite cannot open it so."""
    address = f"file:{quote(str(path.absolute()))}?{how}"
    try:
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        try:
            connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        if _code(error) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            return None
        raise _translated(error, path) from error
    return connection


def _state(path: Path) -> tuple[int, ...]:
    """What changes when the file is written, or is about to be."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, path.with_name(f"{path.name}-wal").exists()


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    if _code(error) == sqlite3.SQLITE_NOTADB:
        return StoreRefused(f"{path}: expected a database of SQLite, got another file")
    return StoreAway(f"{path}: the store cannot be read ({error})")
