"""ASGI middleware around all others: each request gets an id, is timed, counted, logged and answered.

It goes first in the list of middlewares, so that it sees the answer that is sent, whatever failed inside.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Awaitable, Callable
from itertools import count
from time import perf_counter
from typing import Any

from service.telemetry.logs import Answered, Log, request_id_in_context
from service.telemetry.metrics import Telemetry

logger = logging.getLogger(__name__)

UNMATCHED = "unmatched"
"""Route of every path that has none, so that a scan of paths does not make series without end."""
NO_ANSWER = 499
"""Status of a request that ended unanswered: its client was gone, or the service had to stop."""
BUNDLE_ID_IN_SCOPE = "matinee.bundle_id"

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")

App = Callable[..., Awaitable[None]]


class RequestRecorder:
    """Record each request of an ASGI application, and answer those that fail in a way that was not foreseen.

    Args:
        app: An ASGI application.
        telemetry: Counts requests.
        unforeseen: An ASGI application that answers a request whose exception was not handled.
        log: Writes a line for each request; None for none.
        begun: Called with each request's id before anything else works on it; None for nothing to call.
    """

    def __init__(
        self,
        app: App,
        *,
        telemetry: Telemetry,
        unforeseen: App,
        log: Log | None = None,
        begun: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._unforeseen = unforeseen
        self._begun = begun
        self._ids = _RequestIds()
        self._count = telemetry.request
        self._log = None if log is None else log.answered

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle one request. An exception is logged with its traceback and goes no further."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        sent_id = _sent_id(scope["headers"])
        readable_id = self._ids.next() if sent_id is None else sent_id.decode()
        header = (b"x-request-id", readable_id.encode() if sent_id is None else sent_id)
        request_id_in_context.set(readable_id)
        if self._begun is not None:
            self._begun(readable_id)
        status = 0

        async def send_on(message: dict[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            logger.exception("a request failed in a way that was not foreseen")
            # A response that has begun cannot be mended: the server closes its connection.
            if not status:
                await self._unforeseen(scope, receive, send_on)
        finally:
            method = scope["method"]
            if method not in _METHODS:
                method = "other"
            route = scope.get("route")
            template = UNMATCHED if route is None else route.path_format
            seconds = perf_counter() - started
            self._count(method, template, status or NO_ANSWER, seconds)
            if self._log is not None:
                bundle_id = scope.get(BUNDLE_ID_IN_SCOPE)
                self._log(Answered(readable_id, method, template, status or NO_ANSWER, seconds, bundle_id))


class _RequestIds:
    """New request ids, 32 hexadecimal digits: a random number of this process, and a count from a random one.

    Unique, and no secret; a random number for each would be a system call for each.
    """

    def __init__(self) -> None:
        self._process = os.urandom(8).hex()
        self._count = count(int.from_bytes(os.urandom(6)))

    def next(self) -> str:
        return f"{self._process}{next(self._count):016x}"


def _sent_id(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """The client's `X-Request-ID` if it is visible ASCII of at most 128 characters."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return None
