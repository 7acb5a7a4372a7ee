import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import requests

from training.data.downloads import downloads_with_timeout

Serve = Callable[[Callable[[socket.socket], None]], str]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server on loopback that handles one connection with a function; return its address."""
    stop = threading.Event()
    threads = []
    listeners = []

    def start(answer: Callable[[socket.socket], None]) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(65_536)
                answer(connection)
                stop.wait(10)

        threads.append(threading.Thread(target=accept, daemon=True))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/ml.zip"

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)
    for listener in listeners:
        listener.close()


def download(url: str, timeout_seconds: float) -> bytes:
    """Download as tfds does: adapters with retries, a streamed body, no timeout."""
    with downloads_with_timeout(timeout_seconds), requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=10))
        with session.get(url, stream=True) as response:
            response.raise_for_status()
            return b"".join(response.iter_content(4))


def seconds_to_fail(url: str, timeout_seconds: float) -> float:
    start = time.monotonic()
    with pytest.raises(requests.RequestException):
        download(url, timeout_seconds)
    return time.monotonic() - start


def test_a_fast_download_succeeds(serve: Serve) -> None:
    assert download(serve(lambda connection: connection.sendall(OK + b"0123456789")), 5) == b"0123456789"


def test_a_slow_download_with_progress_succeeds(serve: Serve) -> None:
    def trickle(connection: socket.socket) -> None:
        connection.sendall(OK)
        for digit in b"0123456789":
            time.sleep(0.15)
            connection.sendall(bytes([digit]))

    start = time.monotonic()
    assert download(serve(trickle), 0.6) == b"0123456789"
    assert time.monotonic() - start > 1.2


def test_a_server_that_never_answers_times_out(serve: Serve) -> None:
    assert 0.2 < seconds_to_fail(serve(lambda connection: None), 0.3) < 1.5  # noqa: ARG005 the server sends nothing


def test_a_stalled_download_times_out(serve: Serve) -> None:
    assert 0.2 < seconds_to_fail(serve(lambda connection: connection.sendall(OK + b"01234")), 0.3) < 1.5


def test_a_slow_dns_lookup_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def black_hole(*_: object) -> list[object]:
        released.wait(10)
        raise socket.gaierror("no response")

    monkeypatch.setattr(socket, "getaddrinfo", black_hole)
    assert 0.2 < seconds_to_fail("http://files.example/ml.zip", 0.3) < 1.5
    released.set()


def test_a_refused_connection_is_not_retried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert seconds_to_fail(f"http://127.0.0.1:{port}/ml.zip", 5) < 1


def test_a_server_error_is_not_retried(serve: Serve) -> None:
    trouble = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    assert seconds_to_fail(serve(lambda connection: connection.sendall(trouble)), 5) < 1


def test_a_truncated_download_fails(serve: Serve) -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(OK + b"01234")
        connection.shutdown(socket.SHUT_RDWR)

    assert seconds_to_fail(serve(cut), 5) < 1


def test_other_requests_have_no_timeout() -> None:
    ordinary = requests.adapters.HTTPAdapter
    with downloads_with_timeout(1):
        assert requests.adapters.HTTPAdapter is not ordinary
    assert requests.adapters.HTTPAdapter is ordinary
