"""Copy a whole store into an empty one, of any kind of database: to move it, to back it up, to restore it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from service.errors import StoreError, StoreRefused
from service.live import statements
from service.live.database import Connection, Database, ReadingConnection
from service.live.migration import migrate, require_schema
from service.live.statements import KEYS, TABLES, Table
from service.live.store import position_of, rows_in_parts

_PART = 20_000
"""Rows read and written at once."""


def copy_store(
    source: Database, target: Database, *, copied: Callable[[str, int], None] = lambda _table, _rows: None
) -> int:
    """Copy every table as of one moment, keys and positions included, in one transaction of the target.

    What is written to the source meanwhile is not in the copy. One that is killed leaves the target empty.

    Args:
        source: A store of this release's schema; it is only read.
        target: Where no store is yet, or an empty one.
        copied: Called with each table and its rows.

    Returns:
        The store's position.

    Raises:
        StoreRefused: There is no store of this schema to copy, or the target is not empty.
        StoreError: One of the two cannot be used, or the copy lacks rows.
    """
    with source.reading() as reading:
        require_schema(source, reading)
        migrate(target)
        with closing(target.connect()) as writing, reading.snapshot(), writing.transaction():
            _require_empty(target, writing)
            # The target's own came with its tables. Hashes are worth nothing without their key.
            writing.write(statements.DELETE_KEYS)
            for table in TABLES:
                copied(table.name, _copy_table(table, reading, writing, target))
            position = position_of(reading)
            writing.write(statements.SET_POSITION, (position,))
        return position


def _require_empty(target: Database, writing: Connection) -> None:
    held = {table.name: rows for table in TABLES if table != KEYS and (rows := _count(table, writing))}
    if position_of(writing):
        held["position"] = position_of(writing)
    if held:
        found = ", ".join(f"{name} {rows:,}" for name, rows in held.items())
        raise StoreRefused(
            f"{target.name}: expected an empty store to copy into, got one that holds {found}; "
            "nothing was changed: choose another, or remove what is there"
        )


def _copy_table(table: Table, reading: ReadingConnection, writing: Connection, target: Database) -> int:
    expected = 0
    for rows in rows_in_parts(reading, table, _PART):
        writing.write_many(table.insert, rows)
        expected += len(rows)
    if (found := _count(table, writing)) != expected:
        raise StoreError(
            f"{target.name}: expected {expected:,} rows of {table.name}, got {found:,}; nothing was copied"
        )
    return expected


def _count(table: Table, connection: ReadingConnection) -> int:
    return int(connection.read(table.count)[0][0])
