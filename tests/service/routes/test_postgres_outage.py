"""PostgreSQL that stops, is silent, and comes back, below a running application."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from service_client import Ask, asking

from benchmarks.postgres_server import PostgresServer, postgres_programs, running_postgres
from service.app import create_app
from service.settings import Settings


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian and Ubuntu: apt-get install postgresql)")
    with TemporaryDirectory(prefix="pg-") as directory, running_postgres(programs, Path(directory)) as server:
        yield server


@pytest.fixture
def ask_remote(server: PostgresServer, tiny_artifacts: Path) -> Iterator[Ask]:
    settings = Settings(artifacts=tiny_artifacts, store=server.url(), request_timeout_ms=4_000)
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def post(ask: Ask, user_id: str, movie_id: str) -> httpx.Response:
    event = {"user_id": user_id, "movie_id": movie_id, "type": "watch", "timestamp": 5}
    return ask("POST", "/feedback", json={"events": [event]})


def recommended(ask: Ask, user_id: str) -> dict[str, Any]:
    answer = ask("GET", "/recommend", params={"user_id": user_id, "k": 1})
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def wait_until_live(ask: Ask, user_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while "live" in (answer := recommended(ask, user_id)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def test_what_was_acknowledged_is_there_after_a_power_cut_and_meanwhile_reading_goes_on(
    server: PostgresServer, ask_remote: Ask
) -> None:
    assert post(ask_remote, "ann", "m1").json()["stored"] == 1
    ask_remote("DELETE", "/users/42")
    assert recommended(ask_remote, "42")["source"] == "popular"
    server.kill()
    refused = post(ask_remote, "ann", "m2")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert recommended(ask_remote, "ann")["live"] is False
    assert recommended(ask_remote, "ann")["source"] == "popular"
    assert recommended(ask_remote, "42")["source"] == "popular"  # forgotten stays forgotten
    assert recommended(ask_remote, "7")["source"] == "personalized"
    server.start()
    assert wait_until_live(ask_remote, "ann")["source"] == "personalized"
    assert post(ask_remote, "ann", "m2").json()["stored"] == 1
    assert post(ask_remote, "ann", "m1").json()["unchanged"] == 1


def test_a_database_that_is_silent_delays_one_batch_and_no_other(
    server: PostgresServer, ask_remote: Ask
) -> None:
    post(ask_remote, "ann", "m1")
    assert recommended(ask_remote, "ann")["source"] == "personalized"
    processes = silenced(server)
    try:
        started = time.monotonic()
        assert recommended(ask_remote, "ann")["live"] is False
        assert time.monotonic() - started < 1
        started = time.monotonic()
        for _ in range(5):
            assert recommended(ask_remote, "ann")["live"] is False
        assert time.monotonic() - started < 0.5
        assert post(ask_remote, "ann", "m2").status_code == 504
    finally:
        for each in processes:
            os.kill(each, signal.SIGCONT)
    assert wait_until_live(ask_remote, "ann")["source"] == "personalized"


def silenced(server: PostgresServer) -> list[int]:
    """Stop every process of the server as it is; their ids."""
    process_id = int((server.directory / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    processes = [process_id, *map(int, children)]
    for each in processes:
        os.kill(each, signal.SIGSTOP)
    return processes
