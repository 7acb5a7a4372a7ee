"""The file: who may use it, what survives, what is refused."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from service_process import REPOSITORY

from service.errors import StoreAway, StoreRefused
from service.live import statements, store
from service.live.events import Event
from service.live.file_systems import network_file_system
from service.live.migration import check_schema, migrate
from service.live.sqlite_database import SqliteDatabase


@pytest.fixture
def database(tmp_path: Path) -> SqliteDatabase:
    database = SqliteDatabase(tmp_path / "below" / "feedback.sqlite3")
    migrate(database)
    return database


def test_the_file_is_made_for_its_owner_only_and_every_commit_waits_for_the_disk(
    database: SqliteDatabase,
) -> None:
    assert Path(database.name).stat().st_mode & 0o077 == 0
    connection = database.connect()
    assert connection.read("PRAGMA journal_mode") == [("wal",)]
    assert connection.read("PRAGMA synchronous") == [(2,)]
    connection.close()


def test_a_transaction_that_fails_leaves_nothing(database: SqliteDatabase) -> None:
    connection = database.connect()

    def fail() -> None:
        with connection.transaction():
            store.apply(connection, [Event("ann", "m1", "watch")], now=10, key=b"k")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.feedback_of(connection, "ann").states == []
    connection.close()


def test_a_change_is_seen_by_other_connections_once(database: SqliteDatabase) -> None:
    reader, writer = database.connect(), database.connect()
    assert reader.has_changed()
    assert not reader.has_changed()
    with writer.transaction():
        store.apply(writer, [Event("ann", "m1", "watch")], now=10, key=b"k")
    assert reader.has_changed()
    assert not reader.has_changed()
    for each in (reader, writer):
        each.close()


def test_a_newer_schema_is_refused_and_left_alone(database: SqliteDatabase) -> None:
    with sqlite3.connect(database.name) as connection:
        connection.execute("UPDATE feedback_facts SET value = 99 WHERE name = 'schema'")
    connection.close()
    for use in (migrate, check_schema):
        with pytest.raises(StoreRefused, match="schema 2 or older, got 99"):
            use(database)


def test_many_processes_may_make_the_store_at_once(tmp_path: Path) -> None:
    path = tmp_path / "feedback.sqlite3"
    code = (
        "from pathlib import Path; from service.live.migration import migrate\n"
        "from service.live.sqlite_database import SqliteDatabase\n"
        f"migrate(SqliteDatabase(Path({str(path)!r})))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY) for _ in range(4)]
    assert [each.wait(60) for each in started] == [0] * 4
    connection = SqliteDatabase(path).connect()
    assert connection.read(statements.SCHEMA) == [(statements.SCHEMA_VERSION,)]
    connection.close()


def test_writers_wait_in_line(database: SqliteDatabase) -> None:
    def write(number: int) -> None:
        connection = database.connect()
        for place in range(20):
            with connection.transaction():
                store.apply(connection, [Event(f"u{number}", f"m{place}", "watch")], now=10, key=b"k")
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection = database.connect()
    assert store.position_of(connection) == 80
    positions = [each.position for each in store.export_after(connection, 0, 1_000)]
    assert positions == [*range(1, 81)]
    connection.close()


def test_writers_go_on_where_a_reader_keeps_what_was_deleted_from_being_overwritten(
    database: SqliteDatabase,
) -> None:
    connection, writer, overwriting = database.connect(), database.connect(), threading.Event()
    waits: list[float] = []

    def overwrite() -> None:
        overwriting.set()
        connection.overwrite_deleted()

    with database.reading() as reader, reader.snapshot():
        reader.read("SELECT COUNT(*) FROM feedback_state")
        with writer.transaction():
            store.apply(writer, [Event("ann", "m0", "watch")], now=10, key=b"k")
        thread = threading.Thread(target=overwrite)
        thread.start()
        assert overwriting.wait(10)
        for number in range(1, 10):
            began = time.perf_counter()
            with writer.transaction():
                store.apply(writer, [Event("ann", f"m{number}", "watch")], now=10, key=b"k")
            waits.append(time.perf_counter() - began)
            time.sleep(0.05)
        assert thread.is_alive()
    thread.join(10)
    assert Path(f"{database.name}-wal").stat().st_size == 0
    assert max(waits) < 1
    for each in (connection, writer):
        each.close()


def test_what_cannot_be_a_store_is_told(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and long enough to be none" * 50)
    with pytest.raises(StoreRefused, match="expected a database of SQLite"):
        migrate(SqliteDatabase(other))
    with pytest.raises(StoreAway, match=r"the directory cannot be used"):
        migrate(SqliteDatabase(other / "below" / "feedback.sqlite3"))


def test_a_network_file_system_is_recognised_by_the_device_of_its_mount(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    line = "36 35 {}:{} / /mnt rw,noatime master:1 - {} server:/export rw\n"
    mounts = tmp_path / "mountinfo"
    own, other = (os.major(device), os.minor(device)), (os.major(device) + 1, 0)
    mounts.write_text(line.format(*other, "nfs4") + line.format(*own, "ext4"))
    assert network_file_system(tmp_path, mounts=mounts) is None
    mounts.write_text(line.format(*own, "nfs4"))
    assert network_file_system(tmp_path, mounts=mounts) == "nfs4"
    assert network_file_system(tmp_path, mounts=tmp_path / "missing") is None
