"""What the store needs of a database: connections that read, and write under the one lock of all writers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class ReadingConnection(Protocol):
    """A connection that reads, to be used by one thread at a time. Every method may raise `StoreError`."""

    def read(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a statement; `?` stands for a value."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Have all that the block reads be of one moment."""


class Connection(ReadingConnection, Protocol):
    """A connection that writes too."""

    def read_for(self, sql: str, pairs: Sequence[tuple[bytes, bytes]]) -> Iterable[Row]:
        """All rows of a statement in which `{wanted}` stands for the rows of a table of pairs."""

    def write(self, sql: str, values: Sequence[object] = ()) -> None:
        """Run a statement, within `transaction`."""

    def write_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row, within `transaction`."""

    def transaction(self) -> AbstractContextManager[None]:
        """Commit durably what the block writes, or nothing of it where it raises.

        Writers of all processes are in such a block one after another.
        """

    def overwrite_deleted(self) -> None:
        """Have what was deleted be nowhere in the database's files, where it does not see to that itself."""

    def has_changed(self) -> bool:
        """Whether others may have changed the database since the last call; True at the first."""

    def close(self) -> None:
        """Give it up; never raises."""


class Database(Protocol):
    """A place where a store is or can be.

    Attributes:
        name: For messages: without password.
        clustered: What `{clustered}` in the schema stands for.
        patience_seconds: How long a batch waits for it; None for one that is in this process.
    """

    name: str
    clustered: str
    patience_seconds: float | None

    def connect(self) -> Connection:
        """Open a connection.

        Raises:
            StoreError: It cannot be reached, or must not hold a store.
        """

    def borrow(self) -> AbstractContextManager[Connection]:
        """A connection for the moment of a block, in any thread.

        Raises:
            StoreError: As of `connect`.
        """

    def reading(self) -> AbstractContextManager[ReadingConnection]:
        """A connection for a block that writes nothing and makes nothing: no file, no table.

        Raises:
            StoreError: There is no database, or it cannot be read.
        """

    def close(self) -> None:
        """Close what is kept for `borrow`."""

    def is_missing_table(self, error: Exception) -> bool:
        """Whether the cause of an error is a table that is not there: no store was made yet."""
