"""Send the head of an answer together with the first of its body, in one system call instead of two."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_MOST_COPIED = 65_536
"""Bytes of a body that are copied behind the head; a longer one is sent from where it lies, as quickly."""


class JoinedWrites:
    """What a `RequestResponseCycle` writes one answer to.

    uvicorn writes the head when the answer begins, and the body when it comes; its event loop sends the first
    of them at once.

    Args:
        transport: Of the connection.
        cycle: Of the answer, which has a body: the answer to HEAD has none.
    """

    def __init__(self, transport: asyncio.Transport, cycle: RequestResponseCycle) -> None:
        self._transport = transport
        self._cycle = cycle
        self._head: bytes | None = None
        self._is_sent = False

    def write(self, data: bytes) -> None:
        """Write a part of the answer; the head waits for what comes after it."""
        if self._is_sent or not self._cycle.response_started:  # such as 100 Continue before the head
            self._transport.write(data)
        elif self._head is None:
            self._head = data
        else:
            self._is_sent = True
            if len(data) > _MOST_COPIED:
                self._transport.writelines((self._head, data))
            else:
                self._transport.write(self._head + data)

    def close(self) -> None:
        """Close the connection, after what was written."""
        if self._head is not None and not self._is_sent:
            self._transport.write(self._head)
            self._is_sent = True
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed, or will be."""
        return self._transport.is_closing()
