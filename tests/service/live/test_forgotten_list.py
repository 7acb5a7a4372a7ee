"""`python -m service.live`: back up, restore, and keep forgotten who was forgotten in between."""

import json
import subprocess
import sys
from pathlib import Path

from service_process import REPOSITORY

from service.live import store
from service.live.database import Database
from service.live.events import Event
from service.live.live_reader import LiveReader
from service.live.migration import migrate
from service.live.opening import database_of


def run(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "service.live", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def post(database: Database, *events: Event) -> None:
    connection = database.connect()
    with connection.transaction():
        store.apply(connection, events, now=1_000, key=store.key_of(connection))
    connection.close()


def forget(database: Database, user_id: str) -> None:
    connection = database.connect()
    with connection.transaction():
        store.forget(connection, user_id, now=1_000, key=store.key_of(connection))
    connection.close()


def test_who_was_forgotten_after_a_backup_is_forgotten_in_what_is_restored_from_it(
    any_database: Database, store_setting: str, tmp_path: Path
) -> None:
    migrate(any_database)
    post(
        any_database,
        Event("ann", "m1", "watch", None, 10),
        Event("bob", "m1", "watch", None, 10),
        Event("", "m1", "click", None, 900, "c1"),
    )
    backup, restored = str(tmp_path / "backup.sqlite3"), str(tmp_path / "restored.sqlite3")
    assert "feedback_state: 2\n" in run("copy", store_setting, backup)
    for user_id in ("ann", "", "of the bundle only"):
        forget(any_database, user_id)
    listed = tmp_path / "forgotten.txt"
    listed.write_text(run("forgotten", store_setting), encoding="utf-8")
    assert "ann" not in listed.read_text(encoding="utf-8")
    assert len(listed.read_text(encoding="utf-8").splitlines()) == 1 + 3

    run("copy", backup, restored)
    assert run("forget", restored, str(listed)).endswith(
        "3 of 3 users were forgotten again; rows of 2 were deleted\n"
    )
    database = database_of(restored)
    assert database is not None
    reader = LiveReader(database, cached_users=10)
    users = reader.read(["ann", "bob", "", "of the bundle only"]).users
    reader.close()
    assert {user_id for user_id, user in users.items() if user.forgotten_at is not None} == {
        *("ann", "", "of the bundle only")
    }
    assert [movie.movie_id for movie in users["bob"].movies] == ["m1"]
    with database.borrow() as connection:
        assert {each.event.user_id for each in store.export_after(connection, 0, 10)} == {"bob"}
        # Positions that answers had before the restore must not come again.
        assert (
            store.position_of(connection) > json.loads(listed.read_text("utf-8").splitlines()[0])["position"]
        )
    again = run("forget", restored, str(listed))
    assert again.endswith("0 of 3 users were forgotten again; rows of 0 were deleted\n")


def test_a_list_of_another_store_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        database = database_of(str(tmp_path / name))
        assert database is not None
        migrate(database)
    listed = tmp_path / "forgotten.txt"
    listed.write_text(run("forgotten", str(tmp_path / "one")), encoding="utf-8")
    assert "expected a list of the store whose key" in run(
        "forget", str(tmp_path / "two"), str(listed), code=1
    )
    listed.write_text("{}", encoding="utf-8")
    assert "got other text" in run("forget", str(tmp_path / "two"), str(listed), code=1)


def test_a_mistyped_store_is_not_made(tmp_path: Path) -> None:
    missing = str(tmp_path / "mistyped.sqlite3")
    assert "got no such file" in run("copy", missing, str(tmp_path / "to"), code=1)
    assert "got no such file" in run("forgotten", missing, code=1)
    listed = tmp_path / "list"
    listed.write_text('{"store": "", "position": 0}\n', encoding="utf-8")
    assert "got no such file" in run("forget", missing, str(listed), code=1)
    assert {path.name for path in tmp_path.iterdir()} == {"list"}
