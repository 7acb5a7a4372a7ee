"""What is read of the users of a batch, and how often the database is asked."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import wait_for

from service.errors import StoreError
from service.live import sqlite_database, store
from service.live.database import Connection, Database
from service.live.events import Event, EventType
from service.live.live_reader import LiveReader
from service.live.live_users import LiveMovie
from service.live.migration import migrate
from service.live.sqlite_database import SqliteConnection, SqliteDatabase


@pytest.fixture
def database(any_database: Database) -> Database:
    migrate(any_database)
    return any_database


@pytest.fixture
def writer(database: Database) -> Iterator[Connection]:
    connection = database.connect()
    yield connection
    connection.close()


@pytest.fixture
def reader(database: Database) -> Iterator[LiveReader]:
    reader = LiveReader(database, cached_users=100)
    yield reader
    reader.close()


def post(writer: Connection, *events: Event) -> None:
    with writer.transaction():
        store.apply(writer, events, now=1_000, key=b"k" * 32)


def event(user_id: str, movie_id: str, type_: EventType, timestamp: int, value: float | None = None) -> Event:
    return Event(user_id, movie_id, type_, value, timestamp)


def test_what_was_committed_is_in_the_next_reading(reader: LiveReader, writer: Connection) -> None:
    assert not reader.read(["ann"]).users
    post(writer, event("ann", "m1", "rating", 20, 4), event("bob", "m1", "watch", 30))
    [ann] = reader.read(["ann", "nobody"]).users.values()
    assert ann.movies == (LiveMovie("m1", 4, 20, 20, None, is_hidden=False),)
    post(writer, event("ann", "m2", "watch", 10))
    users = reader.read(["ann", "bob"]).users
    assert [movie.movie_id for movie in users["ann"].movies] == ["m2", "m1"]
    assert users["ann"].version > ann.version
    assert users["bob"].version == 2


def test_the_events_of_a_movie_are_one(reader: LiveReader, writer: Connection) -> None:
    post(
        writer,
        event("ann", "m1", "rating", 20, 4),
        event("ann", "m1", "watch", 30),
        event("ann", "m2", "hide", 40),
        event("ann", "m3", "removed", 50),
        event("ann", "m4", "hide", 60, 0),
        event("ann", "m5", "click", 60),
    )
    movies = reader.read(["ann"]).users["ann"].movies
    assert {movie.movie_id: movie[1:] for movie in movies} == {
        "m1": (4, 20, 30, None, False),
        "m2": (None, None, None, None, True),
        "m3": (None, None, None, 50, False),
        "m4": (None, None, None, None, False),
    }


@pytest.mark.parametrize("store_setting", ["sqlite"], indirect=True)
def test_the_database_is_asked_only_after_a_change(
    reader: LiveReader, writer: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "OTHERS_SECONDS", 60)
    post(writer, event("ann", "m1", "watch", 20))
    reader.read(["ann", "bob"])
    with monkeypatch.context() as patch:
        patch.setattr(SqliteConnection, "read", None)
        for _ in range(3):
            assert "ann" in reader.read(["ann", "bob"]).users
    post(writer, event("bob", "m1", "watch", 20))
    assert "bob" in reader.read(["ann", "bob"]).users


@pytest.mark.parametrize("store_setting", ["sqlite"], indirect=True)
def test_what_another_program_writes_is_noticed_soon(
    reader: LiveReader, writer: Connection, database: Database
) -> None:
    post(writer, event("ann", "m1", "watch", 20))
    assert len(reader.read(["ann"]).users["ann"].movies) == 1
    with sqlite3.connect(database.name) as other:
        other.execute("DELETE FROM feedback_state")
        other.execute("UPDATE feedback_users SET version = version + 1")
    other.close()
    time.sleep(sqlite_database.OTHERS_SECONDS)
    assert reader.read(["ann"]).users["ann"].movies == ()


def test_an_empty_store_is_asked_for_nothing_but_a_change(
    reader: LiveReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.read(["ann"])
    monkeypatch.setattr(store, "versions_of", None)
    assert not reader.read(["ann", "bob"]).users


class SlowDatabase(SqliteDatabase):
    """Connects once it is allowed to, and keeps the connections."""

    patience_seconds: float | None = 0.01

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked, self.allowed = threading.Event(), threading.Event()
        self.connections: list[Connection] = []

    def connect(self) -> Connection:
        self.asked.set()
        assert self.allowed.wait(60)
        self.connections.append(super().connect())
        return self.connections[-1]


def is_closed(connection: Connection) -> bool:
    try:
        connection.read("SELECT 1")
    except (StoreError, sqlite3.ProgrammingError):
        return True
    return False


def test_a_reader_that_is_closed_while_it_connects_leaves_no_connection_open(tmp_path: Path) -> None:
    migrate(SqliteDatabase(tmp_path / "feedback.sqlite3"))
    database = SlowDatabase(tmp_path / "feedback.sqlite3")
    reader = LiveReader(database, cached_users=1)
    reader._is_migrated = True
    assert not reader.read(["ann"]).is_live
    assert database.asked.wait(60)
    reader.close()
    database.allowed.set()
    wait_for(lambda: [is_closed(each) for each in database.connections] == [True], 60)


def test_a_store_that_is_away_is_said_and_counted_and_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    away = []
    reader = LiveReader(
        SqliteDatabase(blocked / "feedback.sqlite3"), cached_users=1, away=lambda: away.append(1)
    )
    assert [reader.read(["ann"]).is_live for _ in range(3)] == [False] * 3
    assert len(away) == 3
    blocked.unlink()
    reader._retry_at = 0
    assert reader.read(["ann"]).is_live
    reader.close()
