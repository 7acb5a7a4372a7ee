"""A whole store is copied to another database, in both directions, or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from service_process import REPOSITORY

from benchmarks.postgres_server import PostgresServer
from service.errors import StoreAway, StoreRefused
from service.live import statements, store
from service.live.database import Database
from service.live.events import Event
from service.live.live_reader import LiveReader
from service.live.migration import migrate
from service.live.opening import database_of
from service.live.posted_movies import MoviePut
from service.live.store_copy import copy_store
from service.live.stored_movies import put_movies

Rows = dict[str, list[tuple[Any, ...]]]


def opened(setting: str) -> Database:
    database = database_of(setting)
    assert database is not None
    return database


@pytest.fixture
def other_setting(store_setting: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """An empty store of the other kind."""
    if store_setting.startswith("postgresql"):
        return str(tmp_path / "other.sqlite3")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create(f"other{time.monotonic_ns()}")


@pytest.fixture
def source(any_database: Database) -> Database:
    """A store with rows in every table, more than are read at once, a forgotten user among them."""
    migrate(any_database)
    connection = any_database.connect()
    key = store.key_of(connection)
    many = [Event(f"u{n % 997}", f"m{n}", "rating", n % 10 / 2, n) for n in range(45_000)]
    odd = [
        Event("a\0b é🎬", "\x7f", "watch", None, 2**40),
        Event("ann", "m1", "click", None, 30, "c1", "r1", 3),
        Event("gone", "m1", "watch", None, 40),
    ]
    with connection.transaction():
        store.apply(connection, [*many, *odd], now=2**40, key=key)
        put_movies(connection, [MoviePut("new", "Title", ("Drama",), 1999), MoviePut("m1", available=False)])
        store.note_import(connection, "nightly", 7)
        store.forget(connection, "gone", now=50, key=key)
    connection.close()
    return any_database


def rows_of(database: Database) -> Rows:
    """Every table but the schema's version, read with SQL of this test's own."""
    with database.reading() as connection:
        tables = {
            name: connection.read(f"SELECT * FROM feedback_{name}")  # noqa: S608 names below
            for name in (
                "keys",
                "state",
                "users",
                "appended",
                "event_ids",
                "tombstones",
                "movies",
                "imports",
                "facts",
            )
        }
    return {
        name: sorted((tuple(map(_plain, row)) for row in rows), key=repr) for name, rows in tables.items()
    }


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_a_copy_has_every_row_of_every_table_and_a_copy_of_it_too(
    source: Database, other_setting: str, tmp_path: Path
) -> None:
    original = rows_of(source)
    assert all(original.values())
    assert len(original["state"]) == 45_001
    said: dict[str, int] = {}
    position = copy_store(source, opened(other_setting), copied=said.__setitem__)
    assert ("position", position) in original["facts"]
    assert rows_of(opened(other_setting)) == original
    assert said == {f"feedback_{name}": len(rows) for name, rows in original.items() if name != "facts"}
    copy_store(opened(other_setting), opened(str(tmp_path / "third.sqlite3")))
    assert rows_of(opened(str(tmp_path / "third.sqlite3"))) == original


def test_every_table_of_the_schema_is_copied() -> None:
    made = " ".join(statement for version in statements.MIGRATIONS for statement in version).split(
        "CREATE TABLE "
    )
    assert {each.split()[0] for each in made[1:]} == {table.name for table in statements.TABLES}


def test_who_is_forgotten_stays_so_in_the_copy(source: Database, other_setting: str) -> None:
    copy_store(source, opened(other_setting))
    reader = LiveReader(opened(other_setting), cached_users=10)
    view = reader.read(["gone", "u1"])
    assert view.users["gone"].forgotten_at is not None
    assert view.users["u1"].forgotten_at is None
    assert view.posted.by_id["new"].title == "Title"
    assert view.withheld.movie_ids == {"m1"}
    reader.close()


def test_a_store_that_holds_anything_is_not_copied_over(source: Database, other_setting: str) -> None:
    target = opened(other_setting)
    migrate(target)
    connection = target.connect()
    with connection.transaction():
        store.forget(connection, "bob", now=1, key=b"k")
    connection.close()
    before = rows_of(target)
    with pytest.raises(StoreRefused, match=r"expected an empty store .* feedback_tombstones 1, position 1"):
        copy_store(source, target)
    assert rows_of(target) == before


def test_where_there_is_no_store_nothing_is_copied_and_nothing_made(
    store_setting: str, other_setting: str, tmp_path: Path
) -> None:
    with pytest.raises((StoreAway, StoreRefused), match="expected a store"):
        copy_store(opened(store_setting), opened(other_setting))
    assert not (tmp_path / "other.sqlite3").exists()


def test_a_copy_that_is_killed_leaves_an_empty_store_to_copy_into_again(
    source: Database, store_setting: str, other_setting: str
) -> None:
    slowly = (
        "import sys, time, service.live.store_copy as copying\n"
        "parts = copying.rows_in_parts\n"
        "def slow(reading, table, part):\n"
        "    for n, rows in enumerate(parts(reading, table, part)):\n"
        "        if n == 2: print('half', flush=True); time.sleep(60)\n"
        "        yield rows\n"
        "copying.rows_in_parts = slow\n"
        "sys.argv = ['', 'copy', *sys.argv[1:]]\n"
        "from service.live.__main__ import main; main()"
    )
    command = [sys.executable, "-c", slowly, store_setting, other_setting]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "half\n":
                break
        os.kill(process.pid, signal.SIGKILL)
    target = opened(other_setting)
    assert not any(rows for name, rows in rows_of(target).items() if name not in {"keys", "facts"})
    copy_store(source, target)
    assert rows_of(target) == rows_of(source)
