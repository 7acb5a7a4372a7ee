"""SQLite as the store's database: one file, writers one after another, every commit on the disk."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path

from service.errors import StoreAway, StoreError, StoreFull, StoreRefused
from service.live.change_counter import ChangeCounter
from service.live.database import Connection, ReadingConnection, Row
from service.live.file_systems import network_file_system
from service.live.read_only_sqlite import read_only
from service.live.statements import MOST_VALUES, padded

BUSY_SECONDS = 5.0
"""How long a statement waits for other programs that lock the file, such as a backup."""
OTHERS_SECONDS = 0.05
"""How late what other programs write, such as the sqlite3 shell, may be noticed."""
_CHECKPOINT_MS = 50
"""How long writers may have to wait for a log that is written back after a user was forgotten."""
_STATEMENTS = 512
_PAGES_OF_LOG = 4_000
"""After so many pages (16 MB) the log is written back into the file, by the commit that passes them."""


class SqliteDatabase:
    """A file of SQLite, in its write-ahead mode.

    Args:
        path: The file; made with its directory where missing. Its name plus `-wal`, `-shm`, `-lock` and
            `-changes` are its too.
    """

    clustered = " WITHOUT ROWID"
    patience_seconds: float | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def connect(self) -> Connection:
        """Open a connection.

        Raises:
            StoreRefused: The file is on a network file system, or is no database.
            StoreAway: It cannot be made or opened.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._require_local()
            return SqliteConnection(self._path)
        except OSError as error:
            raise StoreAway(
                f"{self._path}: the directory cannot be used ({error.strerror}); mend that, or set "
                "MATINEE_STORE"
            ) from error

    @contextmanager
    def borrow(self) -> Iterator[Connection]:
        """A connection for a moment."""
        with closing(self.connect()) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[ReadingConnection]:
        """A connection that changes nothing, also on a mount that cannot be written to."""
        try:
            self._require_local()
        except OSError as error:
            raise StoreAway(
                f"{self._path}: expected a store of feedback, got no such directory ({error.strerror}); give "
                "the path that the service has as MATINEE_STORE"
            ) from error
        with read_only(self._path) as connection:
            yield connection

    def _require_local(self) -> None:
        if (kind := network_file_system(self._path.parent)) is not None:
            raise StoreRefused(
                f"{self._path}: expected a local file system, got {kind}: SQLite's locks and shared memory "
                "do not work there; choose a local directory, or PostgreSQL (MATINEE_STORE=postgresql://...)"
            )

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def is_missing_table(self, error: Exception) -> bool:
        """Whether the cause of an error is a table that is not there."""
        return "no such table" in str(error.__cause__)


class SqliteConnection:
    """A connection to the file. Writers wait in line for a lock of the kernel, without polling."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data_version = -1
        self._changes = -1
        self._ask_at = 0.0
        # Not the file itself: to close a second descriptor of it would drop SQLite's own locks.
        self._lock = os.open(
            path.with_name(f"{path.name}-lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            self._sqlite = sqlite3.connect(
                path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_STATEMENTS,
            )
            try:
                with self._locked():  # two that turn write-ahead logging on at once would fail
                    self._sqlite.execute("PRAGMA journal_mode = WAL")
                self._sqlite.execute("PRAGMA synchronous = FULL")
                self._sqlite.execute("PRAGMA secure_delete = ON")  # what is forgotten is gone from the file
                self._sqlite.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_OF_LOG}")
            except BaseException:
                self._sqlite.close()
                raise
            self._counter = ChangeCounter(path.with_name(f"{path.name}-changes"))
        except sqlite3.Error as error:
            os.close(self._lock)
            raise self._translated(error) from error
        with suppress(OSError):
            path.chmod(0o600)  # what users watched is private

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement."""
        try:
            return self._sqlite.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def read_for(self, sql: str, pairs: Sequence[tuple[bytes, bytes]]) -> Iterable[Row]:
        """All rows of a statement about pairs."""
        for start in range(0, len(pairs), MOST_VALUES):
            part = padded(pairs[start : start + MOST_VALUES])
            marks = f"VALUES {', '.join(['(?, ?)'] * len(part))}"
            yield from self.read(sql.format(wanted=marks), [*chain.from_iterable(part)])

    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run a statement."""
        try:
            self._sqlite.execute(sql, values)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def write_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row."""
        try:
            self._sqlite.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._translated(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit durably what the block writes, or nothing of it where it raises."""
        with self._locked():
            self.write("BEGIN IMMEDIATE")
            try:
                yield
                self.write("COMMIT")
                self._counter.add()
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    self._sqlite.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that the block reads be of one moment."""
        self.write("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._sqlite.execute("ROLLBACK")

    def overwrite_deleted(self) -> None:
        """Write the log back into the file, where deleted rows are zeros, and empty it.

        That waits for those who read an older state, such as training or a backup, and has writers wait
        meanwhile: so it waits briefly, several times. If that is not enough, a later commit writes it back.
        """
        self.read(f"PRAGMA busy_timeout = {_CHECKPOINT_MS}")
        until = time.monotonic() + BUSY_SECONDS
        while self.read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] and time.monotonic() < until:
            time.sleep(2 * _CHECKPOINT_MS / 1000)
        self.read(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")

    def has_changed(self) -> bool:
        """Whether a writer of the service has committed since the last call, or lately another program."""
        changes, now = self._counter.value, time.monotonic()
        if changes == self._changes and now < self._ask_at:
            return False
        self._ask_at = now + OTHERS_SECONDS
        [[version]] = self.read("PRAGMA data_version")
        changed: bool = changes != self._changes or version != self._data_version
        self._changes, self._data_version = changes, version
        return changed

    def close(self) -> None:
        """Give it up."""
        with suppress(sqlite3.Error):
            self._sqlite.close()
        self._counter.close()
        os.close(self._lock)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _translated(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StoreFull(f"{self._path}: the disk is full ({error}); nothing was stored, reading goes on")
        if code == sqlite3.SQLITE_NOTADB:
            return StoreRefused(f"{self._path}: expected a database of SQLite, got another file")
        return StoreAway(f"{self._path}: the store cannot be used ({error}); nothing was stored")
