"""Bound connections, so that clients that are slow, silent or many cannot stop others.

uvicorn bounds neither how long a client may take to send a request nor how long its headers are, and beyond a
number of connections it refuses all. Here a connection that has waited too long for a whole request is
closed, and where there are too many the one that has waited longest: a client that sends its request at once
is answered, however many others do not.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.errors import HeadersTooLarge, MatineeError, QueueFull, RequestMalformed
from service.http.problem_details import MEDIA_TYPE, problem_of
from service.http.request_limits import STREAMED
from service.processes.joined_writes import JoinedWrites
from service.telemetry.observer import Observer

MOST_HEAD_BYTES = 65_536
"""Of a request line with its headers; of trailers and a chunk's extensions too."""
STREAMED_BYTES = 65_536
"""Of a body that may be of any length: so many must come in the time that others have for a whole request."""


class Connections:
    """Every connection of this process: those that wait for a request, and those that are answered.

    Args:
        observer: Receives rejections.
        most: Connections at the same time.
        receive_seconds: How long one may wait for a whole request, or for an answer to be taken.
    """

    def __init__(self, observer: Observer, *, most: int, receive_seconds: float) -> None:
        self.observer = observer
        self._most = most
        self._receive_seconds = receive_seconds
        # Both in the order in which they were entered, so the first is the one that has been there longest.
        self._waiting: dict[Connection, float] = {}
        self._untaken: dict[Connection, float] = {}
        self._open: set[Connection] = set()
        self.is_retiring = False

    @property
    def num_open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def retire(self) -> None:
        """Answer each open connection once more, and close it with that answer."""
        self.is_retiring = True
        for connection in self._open:
            connection.close_after_answer()

    def protocol(self, **arguments: Any) -> asyncio.Protocol:
        """Make a connection, as uvicorn does for each."""
        return Connection(self, **arguments)

    def opened(self, connection: Connection) -> bool:
        """Add a connection; False where there are as many as may be and none can be closed for it."""
        self._open.add(connection)
        if len(self._open) > self._most:
            self.observer.rejected("connections")
            if not self._waiting:
                return False
            next(iter(self._waiting)).transport.abort()
        return True

    def lost(self, connection: Connection) -> None:
        """Take out a connection that is closed."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        self._untaken.pop(connection, None)

    def waits(self, connection: Connection) -> None:
        """Note that a connection waits for a request from now on."""
        self._waiting.pop(connection, None)  # or it would keep its place
        self._waiting[connection] = connection.loop.time()

    def asked(self, connection: Connection) -> None:
        """Note that a whole request has come."""
        self._waiting.pop(connection, None)

    def leaves_untaken(self, connection: Connection) -> None:
        """Note that a client does not read what is sent."""
        self._untaken[connection] = connection.loop.time()

    def takes(self, connection: Connection) -> None:
        """Note that it does again."""
        self._untaken.pop(connection, None)

    def close_slow_ones(self, now: float) -> None:
        """Close those that have waited too long, by the event loop's clock."""
        for since_when in (self._waiting, self._untaken):
            late = [each for each, since in since_when.items() if now - since > self._receive_seconds]
            for connection in late:
                self.observer.rejected("slow")
                connection.transport.abort()


class Connection(HttpToolsProtocol):
    """One connection, which reports its state to `connections`."""

    def __init__(self, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._all = connections
        self._held_bytes = 0
        self._streamed_bytes = 0
        self._answering: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Add this connection, or refuse it."""
        super().connection_made(transport)
        if self._all.opened(self):
            self._all.waits(self)
        else:
            self._refuse(QueueFull("as many connections as may are being answered; try again shortly"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove this connection."""
        self._all.lost(self)
        super().connection_lost(exc)
        if self._answering is not None:
            # uvicorn notes it only for the last of the requests that were sent without waiting for answers.
            self._answering.disconnected = True

    def close_after_answer(self) -> None:
        """Close with the answer that is due; where it has begun or none is, with the next one."""
        cycle = self._answering
        if cycle is not None and not cycle.response_started and not self.pipeline:
            cycle.keep_alive = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        if cycle.scope["method"] != "HEAD":
            cycle.transport = cast(asyncio.Transport, JoinedWrites(cycle.transport, cycle))
        if self._all.is_retiring:
            self.close_after_answer()
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        """Read on, unless what should be a head has no end."""
        self._held_bytes += len(data)
        super().data_received(data)
        if self._held_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._all.observer.rejected("malformed")
            self._refuse(HeadersTooLarge(f"expected at most {MOST_HEAD_BYTES} bytes of headers, got more"))

    def on_headers_complete(self) -> None:
        """Forget the bytes of a head at its end."""
        super().on_headers_complete()
        self._held_bytes = 0

    def on_body(self, body: bytes) -> None:
        """Pass a part of a body on; the application decides how much is read."""
        super().on_body(body)
        self._held_bytes = 0
        if self.scope["path"] == STREAMED:
            self._streamed_bytes += len(body)
            if self._streamed_bytes >= STREAMED_BYTES:
                # It is as slow as it is long: only that it comes is what counts.
                self._streamed_bytes = 0
                self._all.waits(self)

    def on_message_complete(self) -> None:
        """Note the end of a request, or of the rest of one that was answered before its end."""
        super().on_message_complete()
        self._held_bytes = 0
        if self.cycle.response_complete:
            self._all.waits(self)
        else:
            self._all.asked(self)

    def on_response_complete(self) -> None:
        """Note the end of an answer: the next request was sent already, or is waited for."""
        super().on_response_complete()
        if self.cycle.response_complete or self.cycle.more_body:
            self._all.waits(self)

    def pause_writing(self) -> None:
        """Note that the client reads less than is sent."""
        super().pause_writing()
        self._all.leaves_untaken(self)

    def resume_writing(self) -> None:
        """Note that the client has read most of it."""
        super().resume_writing()
        self._all.takes(self)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every error is answered."""
        self._all.observer.rejected("malformed")
        self._refuse(RequestMalformed(f"expected a request of HTTP/1.1, got something else: {msg}"))

    def _unsupported_upgrade_warning(self) -> None:
        """Do nothing: ignoring the wish for another protocol is an answer to it."""

    def _refuse(self, error: MatineeError) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # what is written now would pass for the answer that is due
            return
        content = json.dumps(problem_of(error, "")).encode()
        phrase = HTTPStatus(error.status).phrase
        head = (
            f"HTTP/1.1 {error.status} {phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()
