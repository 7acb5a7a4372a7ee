"""What training reads of a store that services write, and that it leaves alone."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service_process import REPOSITORY

from service.bundle.candidate_encoding import MovieContent
from service.errors import StoreAway, StoreRefused
from service.live import store, stored_movies
from service.live.database import Connection, Database
from service.live.events import Event
from service.live.live_users import LiveMovie
from service.live.migration import migrate
from service.live.posted_movies import MoviePut
from service.live.sqlite_database import SqliteDatabase
from service.live.training_feed import reading


def post(writer: Connection, *events: Event) -> None:
    with writer.transaction():
        store.apply(writer, events, now=1_000, key=store.key_of(writer))


def forget(writer: Connection, user_id: str) -> None:
    with writer.transaction():
        store.forget(writer, user_id, now=1_000, key=store.key_of(writer))


def test_the_events_of_a_user_and_a_movie_are_one(writer: Connection, store_setting: str) -> None:
    post(
        writer,
        Event("bob", "m2", "watch", None, 30),
        Event("ann", "m1", "rating", 4, 20),
        Event("ann", "m1", "watch", None, 25),
        Event("ann", "m2", "hide", None, 26),
        Event("ann", "m3", "click", None, 27),
    )
    with reading(store_setting) as feed:
        assert feed.position == 5
        assert list(feed.watched()) == [
            ("ann", LiveMovie("m1", 4, 20, 25, None, is_hidden=False)),
            ("ann", LiveMovie("m2", None, None, None, None, is_hidden=True)),
            ("bob", LiveMovie("m2", None, None, 30, None, is_hidden=False)),
        ]


def test_all_of_it_is_of_one_moment_while_a_service_writes(writer: Connection, store_setting: str) -> None:
    post(writer, Event("ann", "m1", "rating", 4, 20))
    with reading(store_setting) as feed:
        post(writer, Event("bob", "m1", "rating", 4, 20))
        forget(writer, "ann")
        assert [user_id for user_id, _ in feed.watched()] == ["ann"]
        assert feed.forgotten(["ann"]) == []
    with reading(store_setting) as feed:
        assert (feed.position, [user_id for user_id, _ in feed.watched()]) == (3, ["bob"])
        assert feed.forgotten(["bob", "ann"]) == ["ann"]


def test_it_is_told_who_was_forgotten_since(writer: Connection, store_setting: str) -> None:
    forget(writer, "ann")
    forget(writer, "bob")
    with reading(store_setting) as feed:
        assert feed.forgotten(["ann", "bob", "cat"], after=1) == ["bob"]


def test_what_is_put_of_movies_lies_over_what_is_known(writer: Connection, store_setting: str) -> None:
    puts = [
        MoviePut("m1", genres=("WAR",)),
        MoviePut("m2", "Beta (1999)"),
        MoviePut("m3", genres=("War",)),
        MoviePut("m4", available=False),
        MoviePut("m5", "Elsewhere"),
    ]
    with reading(store_setting) as before, writer.transaction():
        stored_movies.put_movies(writer, puts)
    known = {"m1": MovieContent("Alpha", ("Drama", "War"), 1990), **dict.fromkeys(("m2", "m3", "m4"))}
    assert before.position == 0
    with reading(store_setting) as feed:
        assert feed.movies_over(known) == {
            "m1": MovieContent("Alpha", ("War",), 1990),
            "m2": MovieContent("Beta (1999)", (), 1999),
        }


def test_a_part_ends_between_any_two_rows(
    writer: Connection, store_setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.live.training_feed._PART", 1)
    post(
        writer,
        *(
            Event(user, movie, type_, 3 if type_ == "rating" else None, 5)
            for user in ("ann", "bob")
            for movie in ("m1", "m2")
            for type_ in ("rating", "watch")
        ),
    )
    with reading(store_setting) as feed:
        found = [(user_id, movie.movie_id, movie.stars) for user_id, movie in feed.watched()]
    assert found == [("ann", "m1", 3), ("ann", "m2", 3), ("bob", "m1", 3), ("bob", "m2", 3)]


def test_a_database_without_a_store_is_refused_and_stays_without(
    any_database: Database, store_setting: str
) -> None:
    with pytest.raises((StoreRefused, StoreAway), match="expected a store"), reading(store_setting):
        pass
    with any_database.borrow() as connection, pytest.raises(StoreAway):
        connection.read("SELECT * FROM feedback_facts")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store" / "feedback.sqlite3"
    migrate(SqliteDatabase(path))
    return path


def test_no_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    for missing in (tmp_path / "feedback.sqlite3", tmp_path / "none" / "feedback.sqlite3"):
        with pytest.raises(StoreAway, match="expected a store of feedback, got no such"):
            reading(str(missing)).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("text" * 1_000, encoding="utf-8")
    with pytest.raises(StoreRefused, match="expected a database of SQLite"), reading(str(tmp_path / "text")):
        pass


def test_off_is_no_store() -> None:
    with pytest.raises(StoreRefused, match="got 'off'"), reading("off"):
        pass


def test_a_store_of_another_schema_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("UPDATE feedback_facts SET value = 99 WHERE name = 'schema'")
    other.close()
    with pytest.raises(StoreRefused, match=r"a newer service made it"), reading(str(path)):
        pass


AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
READ = """
import sys
from service.bundle.candidate_encoding import MovieContent
from service.errors import StoreError
from service.live.training_feed import reading
try:
    with reading(sys.argv[1]) as feed:
        print(feed.position, *[user_id for user_id, _ in feed.watched()], flush=True)
        sys.stdin.readline()
except StoreError as error:
    print(error)
"""


@pytest.fixture
def start_reading(path: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Read in another process, to whom the directory is read-only, as on such a mount."""

    def start() -> "subprocess.Popen[str]":
        path.parent.chmod(0o500)
        command = [*AS_ANYBODY, sys.executable, "-c", READ, str(path)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, text=True)

    yield start
    path.parent.chmod(0o700)


def test_a_directory_that_cannot_be_written_to_is_read_with_and_without_a_service(
    path: Path, start_reading: Callable[[], "subprocess.Popen[str]"]
) -> None:
    assert start_reading().communicate("\n", timeout=60)[0] == "0\n"
    path.parent.chmod(0o700)
    writer = SqliteDatabase(path).connect()
    post(writer, Event("ann", "m1", "rating", 4, 20))
    assert start_reading().communicate("\n", timeout=60)[0] == "1 ann\n"
    writer.close()


def test_a_service_that_starts_meanwhile_is_noticed_there(
    path: Path, start_reading: Callable[[], "subprocess.Popen[str]"]
) -> None:
    with start_reading() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0\n"
        path.parent.chmod(0o700)
        writer = SqliteDatabase(path).connect()
        post(writer, Event("ann", "m1", "rating", 4, 20))
        writer.close()
        output, _ = process.communicate("\n", timeout=60)
    assert output.endswith("a service began to write to it while it was read; try again\n")


def test_what_a_killed_service_left_in_its_log_is_read(path: Path) -> None:
    writer = SqliteDatabase(path).connect()
    post(writer, Event("ann", "m1", "rating", 4, 20))
    copy = shutil.copytree(path.parent, path.parent.parent / "copy")
    writer.close()
    assert (copy / f"{path.name}-wal").stat().st_size > 0
    with reading(str(copy / path.name)) as feed:
        assert [user_id for user_id, _ in feed.watched()] == ["ann"]
