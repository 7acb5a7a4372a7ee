"""The password of PostgreSQL comes from a variable or a file, and is asked for by a real server."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from benchmarks.postgres_server import PostgresServer
from service.errors import StoreAway
from service.live.migration import migrate
from service.live.opening import database_of

NAMES = itertools.count()


@pytest.fixture
def guarded(postgres: PostgresServer) -> Iterator[str]:
    """The URL, without password, of a database whose role has one: `hush hush`."""
    name = f"guarded{next(NAMES)}"
    rules = postgres.directory / "data" / "pg_hba.conf"
    before = rules.read_text(encoding="utf-8")
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'hush hush'".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
        rules.write_text(f"local all {name} scram-sha-256\n{before}", encoding="utf-8")
        connection.execute("SELECT pg_reload_conf()")
        yield f"postgresql://{name}@/{name}?host={postgres.directory}"
        rules.write_text(before, encoding="utf-8")


def migrated(setting: str) -> str:
    database = database_of(setting)
    assert database is not None
    migrate(database)
    return database.name


def test_a_password_comes_from_a_variable(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreAway, match="password"):
        migrated(guarded)
    monkeypatch.setenv("MATINEE_STORE_PASSWORD", "hush hush")
    assert "hush" not in migrated(guarded)


def test_a_password_comes_from_a_file_among_the_secrets(
    guarded: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MATINEE_SECRETS", str(tmp_path))
    with pytest.raises(StoreAway, match="password"):
        migrated(guarded)
    (tmp_path / "matinee_store_password").write_text("hush hush\n", encoding="utf-8")
    migrated(guarded)


def test_a_password_in_the_url_goes_before_the_others(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATINEE_STORE_PASSWORD", "another")
    with pytest.raises(StoreAway, match="password"):
        migrated(guarded)
    migrated(guarded.replace("@/", ":hush%20hush@/"))
