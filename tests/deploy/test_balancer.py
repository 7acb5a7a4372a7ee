"""Replicas on one PostgreSQL behind a real HAProxy with the repository's configuration."""

import contextlib
import itertools
import json
import signal
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from balancer_process import CONFIGURATION, Balancer, haproxy, running_balancer
from service_process import ServiceProcess, running_service

from benchmarks.postgres_server import PostgresServer
from service.http.key_guesses import MOST_GUESSES

KEY = "k" * 32
PROGRAM = haproxy()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="HAProxy is not installed (Debian and Ubuntu: apt-get install haproxy)"
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Replicas:
    """Services on one store, each to be stopped and started again on its port."""

    def __init__(self, artifacts: Path, directory: Path, store: str, count: int) -> None:
        self.ports = [free_port() for _ in range(count)]
        self._artifacts, self._directory, self._store = artifacts, directory, store
        self._running: dict[int, ExitStack] = {}
        self.services: dict[int, ServiceProcess] = {}
        self._starts = itertools.count()

    def start(self, *ports: int) -> None:
        """Start them together; returns when all are ready."""
        for port in ports:
            settings = {
                "port": str(port),
                "store": self._store,
                "api_keys": KEY,
                "trusted_proxies": "127.0.0.1",
                "drain_seconds": "2",
            }
            self._running[port] = stack = ExitStack()
            log = self._directory / f"log{next(self._starts)}"
            self.services[port] = stack.enter_context(running_service(self._artifacts, log, **settings))
        for port in ports:
            self.services[port].wait_until_ready(seconds=100)

    def stop(self, port: int, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        process = self.services[port].process
        process.send_signal(number)
        code = process.wait(20)
        self._running.pop(port).close()
        return code

    def close(self) -> None:
        for stack in self._running.values():
            stack.close()


@pytest.fixture(scope="module")
def replicas(
    tiny_artifacts: Path, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    store = postgres.create(f"balanced{time.monotonic_ns()}")
    replicas = Replicas(tiny_artifacts, tmp_path_factory.mktemp("replicas"), store, 3)
    try:
        replicas.start(*replicas.ports)
        yield replicas
    finally:
        replicas.close()


@pytest.fixture
def balancer(replicas: Replicas, tmp_path: Path) -> Iterator[Balancer]:
    assert PROGRAM is not None
    with running_balancer(PROGRAM, tmp_path, free_port(), replicas.ports) as balancer:
        yield balancer


def client_of(balancer: Balancer, address: str = "127.0.0.1", key: str = KEY) -> httpx.Client:
    """A client from one of this machine's own addresses."""
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=balancer.url, transport=transport, headers={"X-API-Key": key}, timeout=30)


def event(user_id: str, movie_id: str, **others: Any) -> dict[str, Any]:
    return {"events": [{"user_id": user_id, "movie_id": movie_id, "type": "watch"} | others]}


def test_the_configuration_is_valid_as_it_is() -> None:
    done = subprocess.run(
        [str(PROGRAM), "-c", "-f", str(CONFIGURATION)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_posted_to_one_replica_counts_on_all(replicas: Replicas, balancer: Balancer) -> None:
    with client_of(balancer) as client:
        for n in range(20):
            user_id = f"reader{n}"
            assert client.post("/feedback", json=event(user_id, "m1")).json()["stored"] == 1
            for service in replicas.services.values():
                found = service.client.get(f"/users/{user_id}/feedback", headers={"X-API-Key": KEY})
                assert found.json()["total"] == 1
        servers = {json.loads(line)["server"] for line in balancer.log.splitlines() if '"POST"' in line}
    assert servers == {"service1", "service2", "service3"}


def test_request_ids_pass_and_neither_users_nor_the_metrics_of_one_replica_do(balancer: Balancer) -> None:
    with client_of(balancer) as client:
        answer = client.get("/users/42", headers={"X-Request-ID": "mine-1"})
        assert (answer.status_code, answer.headers["X-Request-ID"]) == (200, "mine-1")
        assert client.get("/healthz").headers["X-Request-ID"]
        assert client.get("/metrics").status_code == 404
    time.sleep(0.2)
    logged = [json.loads(line) for line in balancer.log.splitlines() if line.startswith("{")]
    assert [line["status"] for line in logged if line["request_id"] == "mine-1"] == [200]
    assert "/users" not in balancer.log


def test_guesses_from_one_address_slow_that_one_only_whatever_it_says_to_be(
    replicas: Replicas, balancer: Balancer
) -> None:
    with (
        client_of(balancer, "127.0.0.2", key="wrong") as guesser,
        client_of(balancer, "127.0.0.3", "bad") as other,
    ):
        # Each replica counts for itself.
        statuses = [
            guesser.get("/model", headers={"X-Forwarded-For": f"198.51.100.{n % 250}"}).status_code
            for n in range(MOST_GUESSES * len(replicas.ports) + 60)
        ]
        assert statuses[-1] == 429
        assert other.get("/model").status_code == 401


def test_replicas_are_restarted_one_after_another_without_a_failed_request(
    replicas: Replicas, balancer: Balancer
) -> None:
    stopping = threading.Event()
    failures: list[str] = []
    acknowledged: list[set[str]] = [set() for _ in range(4)]
    asked = itertools.count()

    def use(number: int) -> None:
        with client_of(balancer) as client:
            for n in itertools.count():
                if stopping.is_set():
                    return
                event_id = f"{number}-{n}"
                body = event(f"rolled{number}", f"m{n}", type="click", event_id=event_id)
                answers = (client.post("/feedback", json=body), client.get("/recommend?user_id=42"))
                failures.extend(f"{each.url} {each.text}" for each in answers if each.status_code != 200)
                next(asked)
                acknowledged[number].add(event_id)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for port in replicas.ports:
            assert replicas.stop(port) == 0
            replicas.start(port)
            time.sleep(1.5)  # until the balancer has seen it
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert next(asked) > 100
    with client_of(balancer) as client:
        for number, events in enumerate(acknowledged):
            assert client.get(f"/users/rolled{number}/feedback").json()["clicks"] == len(events)


class Unanswering(socketserver.StreamRequestHandler):
    """Read a request, and close the connection instead of an answer, as a process that is killed does."""

    read: ClassVar[list[int]] = []
    """Bytes of the bodies so far."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # checks are closed at their status
            self._handle()

    def _handle(self) -> None:
        size, first = 0, self.rfile.readline()
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        self.rfile.read(size)
        if first.startswith(b"GET /readyz"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        else:
            self.read.append(size)


@pytest.mark.parametrize("movies", [1, 3000])
def test_a_question_whose_replica_closes_the_connection_is_asked_of_another(
    replicas: Replicas, tmp_path: Path, movies: int
) -> None:
    assert PROGRAM is not None
    body = json.dumps({"history": [{"movie_id": "m1"}], "exclude": [f"m{n}" for n in range(movies)]}).encode()
    fields = {"Host": "a", "X-API-Key": KEY, "Content-Type": "application/json", "Content-Length": len(body)}
    head = "POST /recommend HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Unanswering) as failing:
        threading.Thread(target=failing.serve_forever, daemon=True).start()
        ports = [int(failing.server_address[1]), replicas.ports[1]]
        with running_balancer(PROGRAM, tmp_path, port := free_port(), ports):
            for _ in range(6):
                with socket.create_connection(("127.0.0.1", port)) as client:
                    client.sendall(head.encode())
                    time.sleep(0.05)  # the body is a packet of its own
                    client.sendall(body)
                    answer = client.recv(65536)
                    assert answer.startswith(b"HTTP/1.1 200"), answer
        failing.shutdown()
    assert Unanswering.read.count(len(body)) > 1


def test_a_replica_that_is_killed_fails_no_question_and_doubles_no_post(
    replicas: Replicas, balancer: Balancer
) -> None:
    stopping = threading.Event()
    failed_questions: list[str] = []
    posts: list[list[int]] = [[], []]

    def ask() -> None:
        with client_of(balancer) as client:
            while not stopping.is_set():
                answer = client.post("/recommend", json={"history": [{"movie_id": "m1"}]})
                if answer.status_code != 200:
                    failed_questions.append(answer.text)

    def post(statuses: list[int], user_id: str) -> None:
        with client_of(balancer) as client:
            while not stopping.is_set():
                # Without an event_id: one that was sent twice would be stored twice.
                clicked = event(user_id, f"m{len(statuses)}", type="click")
                try:
                    statuses.append(client.post("/feedback", json=clicked).status_code)
                except httpx.RemoteProtocolError:  # as a 502: it is not known whether it was stored
                    statuses.append(502)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads += [
        threading.Thread(target=post, args=(statuses, f"killed{n}")) for n, statuses in enumerate(posts)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    port = replicas.ports[0]
    try:
        replicas.stop(port, signal.SIGKILL)
        time.sleep(2)
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert not failed_questions
    with client_of(balancer) as client:
        rows = [json.loads(line) for line in client.get("/feedback").text.splitlines()]
    for n, statuses in enumerate(posts):
        stored = [row["movie_id"] for row in rows if row["user_id"] == f"killed{n}"]
        assert set(statuses) <= {200, 502}
        acknowledged = {f"m{at}" for at, status in enumerate(statuses) if status == 200}
        assert len(acknowledged) > 5
        assert acknowledged <= set(stored)
        assert len(stored) == len(set(stored))
    replicas.start(port)
