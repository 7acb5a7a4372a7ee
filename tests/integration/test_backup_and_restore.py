"""Store and bundles are backed up while posts run, lost, and restored, as docs/live.md says."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from service_client import Ask, asking
from service_process import REPOSITORY

from benchmarks.postgres_server import PostgresServer
from service.app import create_app
from service.settings import Settings

Copy = Callable[[str, str], None]


def live(*arguments: str) -> str:
    """Run `matinee store`."""
    command = [sys.executable, "-m", "matinee", "store", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=100
    ).stdout


class Posting:
    """Posts a watch after another until the block ends; which were acknowledged."""

    def __init__(self, ask: Ask) -> None:
        self.acknowledged: list[str] = []
        self._ask = ask
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> "Posting":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_for(self, more: int) -> list[str]:
        """What was acknowledged, once so many more were."""
        wanted, deadline = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return [*self.acknowledged]

    def _post(self) -> None:
        while not self._stopping.is_set():
            movie_id = f"new{len(self.acknowledged)}"
            event = {"user_id": "ann", "movie_id": movie_id, "type": "watch"}
            if self._ask("POST", "/feedback", json={"events": [event]}).json()["stored"]:
                self.acknowledged.append(movie_id)


def answered_without_store(ask: Ask) -> str:
    """The counter of it, which is no promise of a busy machine: nobody waits long for PostgreSQL."""
    lines = ask("GET", "/metrics").text.splitlines()
    return "".join(line for line in lines if line.startswith("matinee_feedback_away_total"))


def source_of(ask: Ask, user_id: str) -> str:
    """By the first answer that the store had a part in."""
    for _ in range(100):
        before = answered_without_store(ask)
        source = str(ask("GET", "/recommend", params={"user_id": user_id, "k": 1}).json()["source"])
        if answered_without_store(ask) == before:
            return source
        time.sleep(0.1)
    raise AssertionError("the store did not answer in time a hundred times")


def check(
    artifacts: Path, store: str, backup: str, tmp_path: Path, *, save: Copy, restore: Copy, new: str
) -> None:
    settings = Settings(artifacts=artifacts, store=store)
    with asking(create_app(settings, wait_for_bundle=True)) as ask, Posting(ask) as posting:
        assert ask("DELETE", "/users/7").status_code == 200
        ask("PUT", "/movies/new0", json={"title": "A new film", "genres": ["Drama"]})
        before = posting.wait_for(30)
        save(store, backup)
        shutil.copytree(artifacts, tmp_path / "bundles")
        after = posting.wait_for(30)
        assert ask("DELETE", "/users/42").status_code == 200
        (tmp_path / "list").write_text(live("forgotten", store), encoding="utf-8")

    restore(backup, new)
    restored = Settings(artifacts=tmp_path / "bundles", store=new)
    with asking(create_app(restored, wait_for_bundle=True)) as ask:
        assert source_of(ask, "7") == "popular"
        assert source_of(ask, "42") == "personalized"  # a backup knows nothing of what came after it
    live("forget", new, str(tmp_path / "list"))
    with asking(create_app(restored, wait_for_bundle=True)) as ask:
        assert [source_of(ask, user_id) for user_id in ("7", "42", "ab")] == [
            "popular",
            "popular",
            "personalized",
        ]
        found: set[str] = set()
        while items := ask("GET", "/users/ann/feedback", params={"k": 500, "offset": len(found)}).json()[
            "items"
        ]:
            found |= {item["movie_id"] for item in items}
        assert set(before) <= found <= set(after)
        assert ask("GET", "/movies/new0").json()["title"] == "A new film"
        assert ask(
            "POST", "/feedback", json={"events": [{"user_id": "42", "movie_id": "m1", "type": "watch"}]}
        ).json()["stored"]


def copy(source: str, target: str) -> None:
    live("copy", source, target)


def test_what_was_acknowledged_before_a_copy_is_restored_and_the_forgotten_stay_so(
    artifacts: Path, store_setting: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    new = str(tmp_path / "restored.sqlite3")
    if store_setting.startswith("postgresql"):
        server: PostgresServer = request.getfixturevalue("postgres")
        new = server.create(f"restored{time.monotonic_ns()}")
    backup = str(tmp_path / "backup.sqlite3")
    check(artifacts, store_setting, backup, tmp_path, save=copy, restore=copy, new=new)


def test_a_dump_of_postgresql_does_the_same(
    artifacts: Path, postgres: PostgresServer, tmp_path: Path
) -> None:
    store, new = (postgres.create(f"{name}{time.monotonic_ns()}") for name in ("dumped", "from_dump"))

    def dump(source: str, target: str) -> None:
        postgres_command("pg_dump", "--format=custom", f"--file={target}", source)

    def load(source: str, target: str) -> None:
        postgres_command("pg_restore", "--exit-on-error", f"--dbname={target}", source)

    def postgres_command(program: str, *arguments: str) -> None:
        subprocess.run([str(postgres.programs / program), *arguments], check=True, timeout=60)

    check(artifacts, store, str(tmp_path / "dump"), tmp_path, save=dump, restore=load, new=new)
