"""HTTP over raw sockets, for requests that client libraries do not send."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

SECONDS = 20.0


@dataclass(frozen=True)
class RawAnswer:
    """A response; status 0 if the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        yield connection


def send(port: int, *pieces: bytes) -> RawAnswer:
    """Send bytes over a new connection; return the response."""
    with connected(port) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break  # the response may come before all is sent
        return receive(connection)


def receive(connection: socket.socket) -> RawAnswer:
    """Read the next response, which must have Content-Length."""
    try:
        head = _read_until(connection, b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
        }
        length, body = int(headers["content-length"]), b""
        while len(body) < length:
            body += _read(connection, min(65536, length - len(body)))  # more belongs to the next response
        return RawAnswer(int(first.split()[1]), headers, body)
    except ConnectionResetError:
        return RawAnswer(0, {}, b"")


def _read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        read += _read(connection, 1)
    return read


def _read(connection: socket.socket, size: int) -> bytes:
    piece = connection.recv(size)
    if not piece:
        raise ConnectionResetError
    return piece
