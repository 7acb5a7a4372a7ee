"""A backup taken while events are posted is a whole store, as docs/live.md has it."""

import sqlite3
import threading
from pathlib import Path

from service.errors import StoreFull
from service.live import store
from service.live.events import Event
from service.live.live_reader import LiveReader
from service.live.migration import migrate
from service.live.sqlite_database import SqliteDatabase


def test_a_backup_under_writes_holds_all_that_was_stored_before_it(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "feedback.sqlite3")
    migrate(database)
    stopping = threading.Event()
    stored: list[int] = []

    def write() -> None:
        connection = database.connect()
        while not stopping.is_set():
            with connection.transaction():
                place = len(stored)
                store.apply(connection, [Event("ann", f"m{place}", "watch")], now=10, key=b"k")
            stored.append(place)
        connection.close()

    writing = threading.Thread(target=write)
    writing.start()
    while len(stored) < 20:
        pass
    before = len(stored)
    # What `.backup` of the sqlite3 program calls.
    with sqlite3.connect(database.name) as source, sqlite3.connect(tmp_path / "backup.sqlite3") as target:
        source.backup(target)
    source.close()
    target.close()
    stopping.set()
    writing.join()
    reader = LiveReader(SqliteDatabase(tmp_path / "backup.sqlite3"), cached_users=10)
    movies = {movie.movie_id for movie in reader.read(["ann"]).users["ann"].movies}
    assert movies >= {f"m{place}" for place in range(before)}
    reader.close()


def test_a_full_disk_refuses_and_leaves_what_was_stored(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "feedback.sqlite3")
    migrate(database)
    connection = database.connect()
    connection.read("PRAGMA max_page_count = 40")
    refused = None
    for place in range(10_000):
        try:
            with connection.transaction():
                events = [Event(f"u{place}", f"m{each}" * 20, "watch") for each in range(50)]
                store.apply(connection, events, now=10, key=b"k")
        except StoreFull as error:
            refused = error
            break
    assert refused is not None
    assert store.position_of(connection) == 50 * place
    assert len(store.states_of(connection, ["u0"])) == 50
    connection.close()
