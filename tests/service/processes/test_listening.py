import socket
from collections.abc import Iterator

import pytest

from service.processes.listening import DEALS_OUT, join, reserve, url, warn_of_open_access


@pytest.fixture(params=["127.0.0.1", "::1"])
def reserved(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    try:
        taken = reserve(request.param, 0)
    except OSError:
        pytest.skip(f"no address {request.param} here")
    with taken:
        yield taken


def test_a_reserved_address_is_in_use_before_any_process_listens(reserved: socket.socket) -> None:
    host, port = reserved.getsockname()[:2]
    with pytest.raises(OSError, match="in use"):
        reserve(host, port)


@pytest.mark.skipif(not DEALS_OUT, reason="one socket for all here")
def test_connections_are_dealt_out_among_all_that_joined(reserved: socket.socket) -> None:
    with join(reserved) as first, join(reserved) as second:
        for joined in (first, second):
            joined.listen()
            joined.setblocking(False)
        address = reserved.getsockname()[:2]
        clients = [socket.create_connection(address) for _ in range(64)]
        counts = [accept_all(first), accept_all(second)]
        for client in clients:
            client.close()
    assert sum(counts) == 64
    assert min(counts) > 8
    with pytest.raises(OSError, match="in use"):
        reserve(*address)


def accept_all(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_a_url_names_a_host_of_either_family(reserved: socket.socket) -> None:
    host, port = reserved.getsockname()[:2]
    assert url(reserved) == (f"http://[::1]:{port}" if host == "::1" else f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("localhost", False), ("0.0.0.0", True)])  # noqa: S104 what is warned of
def test_an_address_that_other_machines_reach_is_warned_of(
    host: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with reserve(host, 0) as listener:
        warn_of_open_access(listener)
    assert ("MATINEE_API_KEYS" in caplog.text) is warned
