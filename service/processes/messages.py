"""Exchange JSON messages between the supervisor and a worker over a socket pair."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any

Message = dict[str, Any]

_CHUNK_BYTES = 65_536


class MessageSocket:
    """One end of a socket pair: a JSON object a line.

    Args:
        connection: A connected stream socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._connection.setblocking(False)
        self._received = b""

    @classmethod
    def pair(cls) -> tuple[MessageSocket, MessageSocket]:
        """Two connected ends."""
        first, second = socket.socketpair()
        return cls(first), cls(second)

    def fileno(self) -> int:
        """The descriptor, for `select` and event loops."""
        return self._connection.fileno()

    def send(self, message: Message) -> None:
        """Send one message; lost where the other end is gone or does not read."""
        with suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> list[Message] | None:
        """The messages that have come, possibly none; None once the other end is closed."""
        try:
            received = self._connection.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not received:
            return None
        *lines, self._received = (self._received + received).split(b"\n")
        return [json.loads(line) for line in lines]

    def close(self) -> None:
        """Close this end."""
        self._connection.close()
