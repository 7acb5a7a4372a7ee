"""Rollouts by real forked processes that need no model: `fake_workers`."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import wait_for

from service.bundle.current import go_live

TESTS = Path(__file__).parents[2]


class Fake:
    """A running `fake_workers`."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self.process = process
        self._log_path = log_path

    @property
    def log(self) -> str:
        return self._log_path.read_text(encoding="utf-8")

    @property
    def address(self) -> tuple[str, int]:
        wait_for(lambda: "listening on" in self.log)
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.log)
        assert found
        return "127.0.0.1", int(found[1])

    @property
    def workers(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(each) for each in path.read_text(encoding="utf-8").split()]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, 10)

    def ask(self) -> str:
        with self.connect() as client:
            return exchange(client)

    def bundles(self) -> set[str]:
        """Which bundles answer, over so many connections that each worker has some."""
        return {self.ask().split()[0] for _ in range(24)}


def exchange(client: socket.socket, line: bytes = b"who\n") -> str:
    client.settimeout(10)
    client.sendall(line)
    return client.recv(256).decode()


def make_bundle(artifacts: Path, name: str, behaviour: str = "ok") -> None:
    (artifacts / name).mkdir()
    (artifacts / name / "behaviour").write_text(behaviour, encoding="utf-8")


@contextmanager
def running(artifacts: Path, workers: int, *, reload_seconds: float = 0.05) -> Iterator[Fake]:
    log_path = artifacts / "log"
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                str(TESTS / "fake_workers.py"),
                str(artifacts),
                str(workers),
                str(reload_seconds),
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    fake = Fake(process, log_path)
    try:
        yield fake
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert "Traceback" not in fake.log
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("workers", [1, 3])
def test_all_workers_take_up_a_new_bundle_one_after_the_other(tmp_path: Path, workers: int) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "two", "ok 0.2")
    go_live(tmp_path, "one")
    with running(tmp_path, workers) as fake:
        wait_for(lambda: len(fake.workers) == workers and fake.bundles() == {"one"})
        before = set(fake.workers)
        go_live(tmp_path, "two")
        most = workers
        while fake.bundles() != {"two"}:
            most = max(most, len(fake.workers))
        wait_for(lambda: len(fake.workers) == workers)
        assert most == workers + 1
        assert not before & set(fake.workers)
        assert "died" not in fake.log


def test_open_connections_are_answered_once_more_by_the_worker_that_is_replaced(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "two")
    go_live(tmp_path, "one")
    with running(tmp_path, 1) as fake:
        wait_for(lambda: fake.ask().startswith("one"))
        with fake.connect() as client:
            assert exchange(client).split() == ["one", "1"]
            go_live(tmp_path, "two")
            wait_for(lambda: fake.ask().startswith("two"))
            # Asked to end once the new one answers: one more answer may come before that is read.
            while (answer := exchange(client).split()) != ["one", "1", "!"]:
                assert answer == ["one", "1"]
                time.sleep(0.01)
            assert client.recv(1) == b""


def test_connections_never_fail_while_bundles_are_replaced(tmp_path: Path) -> None:
    for number in range(8):
        make_bundle(tmp_path, f"bundle-{number}")
    go_live(tmp_path, "bundle-0")
    with running(tmp_path, 2) as fake:
        wait_for(lambda: fake.bundles() == {"bundle-0"})
        answers = 0
        for number in range(1, 8):
            go_live(tmp_path, f"bundle-{number}")
            while fake.bundles() != {f"bundle-{number}"}:
                answers += 24
        assert answers > 0


def test_a_refused_bundle_leaves_the_old_one_serving_and_answers_the_look(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "bad", "refuse")
    go_live(tmp_path, "one")
    with running(tmp_path, 2) as fake:
        wait_for(lambda: fake.bundles() == {"one"})
        before = set(fake.workers)
        go_live(tmp_path, "bad")
        with fake.connect() as client:
            assert exchange(client, b"look\n").split() == ["one", "BundleDisagrees"]
        assert fake.bundles() == {"one"}
        wait_for(lambda: set(fake.workers) == before)
        assert fake.log.count("refused BundleDisagrees") == 1
        assert "died" not in fake.log
        go_live(tmp_path, "one")
        with fake.connect() as client:
            assert exchange(client, b"look\n").split() == ["one", "None"]


@pytest.mark.parametrize("reload_seconds", [0.05, 3600])
def test_a_look_is_answered_when_the_new_bundle_is_live(tmp_path: Path, reload_seconds: float) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "two", "ok 0.3")
    make_bundle(tmp_path, "bad", "refuse")
    go_live(tmp_path, "one")
    with running(tmp_path, 1, reload_seconds=reload_seconds) as fake:
        wait_for(lambda: fake.ask().startswith("one"))

        def look() -> list[str]:
            with fake.connect() as client:
                return exchange(client, b"look\n").split()

        go_live(tmp_path, "two")
        assert look() == ["two", "None"]
        assert fake.ask().startswith("two")
        assert look() == ["two", "None"]
        go_live(tmp_path, "bad")
        assert look() == ["two", "BundleDisagrees"]
        go_live(tmp_path, "two")
        assert look() == ["two", "None"]


def test_a_bundle_that_kills_its_worker_is_refused_and_tried_ever_less_often(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "deadly", "die")
    go_live(tmp_path, "one")
    with running(tmp_path, 1) as fake:
        wait_for(lambda: fake.ask().startswith("one"))
        go_live(tmp_path, "deadly")
        wait_for(lambda: fake.log.count("died") >= 2)
        assert "a worker ended with 3 while it loaded the bundle" in fake.log
        time.sleep(1)
        assert fake.log.count("died") < 8
        assert fake.ask().startswith("one")


def test_without_a_bundle_a_worker_answers_until_one_appears(tmp_path: Path) -> None:
    with running(tmp_path, 2) as fake:
        wait_for(lambda: fake.bundles() == {"none"})
        make_bundle(tmp_path, "one")
        go_live(tmp_path, "one")
        wait_for(lambda: fake.bundles() == {"one"})


def test_a_first_bundle_that_is_refused_gives_way_to_the_previous_one(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "bad", "refuse")
    go_live(tmp_path, "one")
    go_live(tmp_path, "bad")
    with running(tmp_path, 2) as fake:
        wait_for(lambda: fake.bundles() == {"one"})


def test_a_dead_worker_is_replaced_while_the_other_answers(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one", "ok 0.3")
    go_live(tmp_path, "one")
    with running(tmp_path, 2) as fake:
        wait_for(lambda: len(fake.workers) == 2 and fake.bundles() == {"one"})
        first, second = fake.workers
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: first not in fake.workers)
        assert fake.bundles() == {"one"}
        wait_for(lambda: len(fake.workers) == 2)
        assert second in fake.workers
        assert fake.log.count("died") == 1


def test_the_only_worker_that_dies_is_replaced_by_one_that_accepts_at_once(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one", "ok 1")
    go_live(tmp_path, "one")
    with running(tmp_path, 1) as fake:
        wait_for(lambda: fake.ask().startswith("one"))
        os.kill(fake.workers[0], signal.SIGKILL)
        wait_for(lambda: fake.ask().startswith("none"), 5)
        wait_for(lambda: fake.ask().startswith("one"))


def test_workers_that_cannot_live_are_started_after_growing_pauses(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    go_live(tmp_path, "one")
    with running(tmp_path, 1) as fake:
        pauses = []
        for deaths in range(1, 3):
            wait_for(lambda: fake.ask().startswith("one"))
            os.kill(fake.workers[0], signal.SIGKILL)
            wait_for(lambda deaths=deaths: fake.log.count("died") == deaths)  # type: ignore[misc] # mypy cannot infer a default
            started = time.monotonic()
            wait_for(lambda: len(fake.workers) == 1)
            pauses.append(time.monotonic() - started)
        assert 0.3 < pauses[0] < pauses[1]
        assert pauses[1] > 0.8


def test_sighup_has_a_refused_bundle_tried_again(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    make_bundle(tmp_path, "two", "refuse")
    go_live(tmp_path, "one")
    with running(tmp_path, 1) as fake:
        wait_for(lambda: fake.ask().startswith("one"))
        go_live(tmp_path, "two")
        wait_for(lambda: "refused BundleDisagrees" in fake.log)
        ended = fake.log.count("ended")
        fake.process.send_signal(signal.SIGHUP)
        wait_for(lambda: fake.log.count("ended") > ended)
        assert fake.ask().startswith("one")


def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    make_bundle(tmp_path, "one")
    go_live(tmp_path, "one")
    log_path = tmp_path / "log"
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    command = [sys.executable, str(TESTS / "fake_workers.py"), str(tmp_path), "2", "1"]
    with log_path.open("wb") as log, subprocess.Popen(command, env=environment, stdout=log) as process:
        fake = Fake(process, log_path)
        wait_for(lambda: len(fake.workers) == 2)
        workers = fake.workers
        process.kill()
        process.wait()
        wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
