"""The real process against clients that no library would be: bytes by hand, slow, many, or no HTTP at all."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from raw_http import RawAnswer, connected, receive, send
from service_process import ServiceProcess, running_service

from service.http.problem_details import Problem

RECEIVE_SECONDS, MOST_CONNECTIONS = 1.0, 20
HEALTHZ = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def service(tiny_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    log = tmp_path_factory.mktemp("hostile") / "log"
    limits = {"receive_seconds": str(RECEIVE_SECONDS), "max_connections": str(MOST_CONNECTIONS)}
    with running_service(tiny_artifacts, log, **limits) as service:
        service.wait_until_ready()
        yield service
        assert service.process.poll() is None
        assert "Traceback" not in service.log, service.log[service.log.index("Traceback") - 500 :][:6000]


@pytest.fixture
def port(service: ServiceProcess) -> Iterator[int]:
    assert service.port is not None
    yield service.port
    assert send(service.port, HEALTHZ).status == 200


def with_body(body: bytes, head: bytes = POST) -> bytes:
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def refused(answer: RawAnswer, *statuses: int) -> None:
    assert answer.status in statuses
    if answer.status:
        assert answer.headers["content-type"] == "application/problem+json"
        assert Problem.model_validate_json(answer.body).status == answer.status


BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"history":' * 100_000,
    "deep and closed": b"[" * 50_000 + b"]" * 50_000,
    "a long id": b'{"user_id":"' + b"x" * 4_000_000 + b'"}',
    "many entries": b'{"history":[' + b'{"movie_id":"1"},' * 100_000 + b'{"movie_id":"1"}]}',
    "many fields": b"{" + b",".join(b'"a%d":1' % number for number in range(100_000)) + b"}",
    "NaN": b'{"user_id":"42","diversity":NaN}',
    "infinity": b'{"history":[{"movie_id":"m1","rating":-Infinity}]}',
    "a float past the largest": b'{"user_id":"42","diversity":1e999}',
    "an integer past 64 bits": b'{"user_id":"42","timestamp":18446744073709551616}',
    "an integer past all floats": b'{"history":[{"movie_id":"m1","rating":1' + b"0" * 400 + b"}]}",
    "endless digits": b'{"user_id":"42","k":' + b"9" * 100_000 + b"}",
    "an exponent past all": b'{"user_id":"42","timestamp":1e99999999999}',
    "no UTF-8": b'{"user_id":"\xff\xfe"}',
    "overlong UTF-8": b'{"user_id":"\xc0\xaf"}',
    "half of a surrogate pair": b'{"user_id":"\\ud800"}',
    "UTF-16": '{"user_id":"42","k":0}'.encode("utf-16"),
    "a list": b'["42"]',
    "null": b"null",
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_bodies_that_make_no_sense_are_422(body: bytes, port: int) -> None:
    refused(send(port, with_body(body)), 422)


@pytest.mark.parametrize(
    "media_type",
    [
        b"text/plain",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"\xff",
        b"application/pickle",
        b";",
    ],
)
def test_bodies_of_another_type_are_422(media_type: bytes, port: int) -> None:
    head = b"POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Type: " + media_type + b"\r\n"
    refused(send(port, with_body(b'{"user_id":"42"}', head)), 422)


def test_of_a_key_that_is_there_twice_the_last_counts(port: int) -> None:
    answer = send(port, with_body(b'{"user_id":"7","k":1,"k":7,"user_id":"42","k":2}'))
    answered = json.loads(answer.body)
    assert (answered["user_id"], len(answered["items"])) == ("42", 2)


def test_the_name_of_an_unknown_field_is_not_repeated_however_long(port: int) -> None:
    answer = send(port, with_body(b'{"' + b"x" * 1_000_000 + b'":1}'))
    refused(answer, 422)
    assert len(answer.body) < 2_000


NO_REQUESTS = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300),
    "no method": b"BREW / HTTP/1.1\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version": b"GET / HTTP/9.9\r\n\r\n",
    "a proxy's request": b"CONNECT a:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": "GET /é HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    "a space in a header's name": b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below 0": POST + b"Content-Length: -1\r\n\r\n",
    "a length past 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "a chunk's length that is none": CHUNKED + b"x\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: x\x00\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_REQUESTS.values(), ids=NO_REQUESTS.keys())
def test_what_is_no_request_is_400(sent: bytes, port: int) -> None:
    refused(send(port, sent), 400, 0)


HEADS = {
    "ten thousand headers": (
        b"GET /healthz HTTP/1.1\r\n",
        b"".join(b"a%d: b\r\n" % n for n in range(10_000)),
        b"\r\n",
    ),
    "a hundred and one": (b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 101 + b"\r\n",),
    "a long line": (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n",),
    "a long header": (b"GET /healthz HTTP/1.1\r\na: " + b"a" * 1_000_000,),
    "a chunk with a long name": (CHUNKED + b"1;" + b"a" * 1_000_000,),
    "trailers without end": (CHUNKED + b"0\r\n" + b"a: b\r\n" * 200_000,),
}


@pytest.mark.parametrize("pieces", HEADS.values(), ids=HEADS.keys())
def test_heads_without_end_are_431(pieces: tuple[bytes, ...], port: int) -> None:
    refused(send(port, *pieces), 431, 0)


def test_a_hundred_headers_are_taken(port: int) -> None:
    assert send(port, b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 100 + b"\r\n").status == 200


def test_too_large_a_body_is_413_whether_it_is_announced_sent_or_neither(port: int) -> None:
    refused(send(port, POST + b"Content-Length: 1000000000000\r\n\r\n"), 413)
    refused(send(port, POST + b"Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n"), 413)
    refused(send(port, with_body(b" " * 5_000_000)), 413)
    refused(send(port, CHUNKED, *[b"80000\r\n" + b" " * 0x80000 + b"\r\n"] * 10, b"0\r\n\r\n"), 413)


def test_http_1_0_absolute_addresses_and_wishes_for_other_protocols_are_answered(port: int) -> None:
    old = send(port, b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (old.status, old.headers["connection"]) == (200, "close")
    assert send(port, b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: x\r\n\r\n").status == 200
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\n\r\n"
    assert send(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + upgrade).status == 200


PATHS = "/web/../keys.py /web/..%2fkeys.py /web/%2e%2e%2fkeys.py /web/%2Fetc%2Fpasswd /web/..%5ckeys.py"
PATHS += " /web/%00 /docs/..%2f..%2fkeys.py /../etc/passwd //etc/passwd /%ff /web/" + "a" * 30_000


@pytest.mark.parametrize("path", PATHS.split())
def test_no_path_leads_out_of_what_is_served(path: str, port: int) -> None:
    refused(send(port, b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n"), 404)


def test_requests_sent_without_waiting_are_answered_in_their_order(port: int) -> None:
    with connected(port) as connection:
        wanted = [f"u{number}" for number in range(50)]
        connection.sendall(
            b"".join(with_body(json.dumps({"user_id": user, "k": 1}).encode()) for user in wanted)
        )
        assert [json.loads(receive(connection).body)["user_id"] for _ in wanted] == wanted


def test_a_request_that_does_not_come_whole_in_time_is_cut_off(port: int) -> None:
    begun = (b"", b"GET /healthz HTTP/1.1\r\nHo", POST + b"Content-Length: 9\r\n\r\n{", CHUNKED + b"5\r\n{")
    started = time.monotonic()
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(port)) for _ in begun]
        for connection, sent in zip(connections, begun, strict=True):
            connection.sendall(sent)
        assert [receive(connection).status for connection in connections] == [0] * len(begun)
    assert time.monotonic() - started >= RECEIVE_SECONDS / 2


def test_a_request_that_trickles_in_is_cut_off(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012 any of many sends
            for _ in range(int(10 * RECEIVE_SECONDS / 0.1)):
                connection.sendall(b"a: b\r\n")
                time.sleep(0.1)


def test_a_client_that_takes_no_answer_is_cut_off(port: int) -> None:
    body = json.dumps({"requests": [{"user_id": "42", "k": 500}] * 256}).encode()
    large = with_body(body, POST.replace(b"recommend", b"recommend/batch"))
    length = len(send(port, large).body)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", port))
        connection.sendall(large * 8)
        time.sleep(2 * RECEIVE_SECONDS)
        assert count_bytes(connection) < 8 * length


def count_bytes(connection: socket.socket) -> int:
    """All that still comes until the connection ends, with or without a reset."""
    count = 0
    try:
        while piece := connection.recv(65536):
            count += len(piece)
    except ConnectionResetError:
        pass
    return count


def test_clients_that_say_nothing_stop_nobody_however_many_they_are(port: int) -> None:
    with ExitStack() as stack:
        for number in range(5 * MOST_CONNECTIONS):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            silent.sendall(b"GET /healthz HTTP/1.1\r\nHo" if number % 2 else b"")
            if number % 10 == 9:
                started = time.monotonic()
                assert send(port, HEALTHZ).status == 200
                assert time.monotonic() - started < RECEIVE_SECONDS


def test_what_was_cut_off_and_refused_is_counted(port: int, service: ServiceProcess) -> None:
    send(port, b"nonsense\r\n\r\n")
    lines = service.client.get("/metrics").text.splitlines()
    counts = {
        line.split('"')[1]: float(line.split()[-1]) for line in lines if "requests_rejected_total{" in line
    }
    assert counts["malformed"] >= 1
