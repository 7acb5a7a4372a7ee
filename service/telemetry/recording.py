"""Around the whole application: each request gets an id, is timed, counted and logged.

A plain ASGI callable, outside of the framework's own error handling: it sees the answer that is sent,
whatever went wrong inside. What it costs a request is measured in docs/operations.md.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any

from service.telemetry.logs import Answered, Log, request_id_in_context
from service.telemetry.metrics import Telemetry

logger = logging.getLogger(__name__)

UNMATCHED = "unmatched"
"""The route of every path that is none, so that a scan of the port does not make series without end."""
NO_ANSWER = 499
"""The status of a request that ended unanswered: its client had gone, or the service had to stop."""
BUNDLE_ID_IN_SCOPE = "matinee.bundle_id"

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")


class RequestRecorder:
    """Records what `app` does.

    Args:
        app: An ASGI application.
        telemetry: Counts requests.
        log: Writes a line for each; None for none.
        begun: Is told each request's id; None where nobody wants to know.
    """

    def __init__(
        self,
        app: Callable[..., Any],
        telemetry: Telemetry,
        log: Log | None,
        begun: Callable[[str], None] | None = None,
    ) -> None:
        self._app = app
        self._begun = begun
        self._count = telemetry.request
        self._log = None if log is None else log.answered

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """One request. An error that was answered is logged and ends here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        request_id = _request_id(scope["headers"])
        readable_id = request_id.decode()
        request_id_in_context.set(readable_id)
        if self._begun is not None:
            self._begun(readable_id)
        status = NO_ANSWER
        complete = False

        async def send_on(message: dict[str, Any]) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            elif not message.get("more_body"):
                complete = True
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception:
            logger.exception("a request failed in a way that was not foreseen")
            if not complete:
                raise
        finally:
            method = scope["method"]
            if method not in _METHODS:
                method = "other"
            route = scope.get("route")
            template = UNMATCHED if route is None else route.path_format
            seconds = perf_counter() - started
            self._count(method, template, status, seconds)
            if self._log is not None:
                bundle_id = scope.get(BUNDLE_ID_IN_SCOPE)
                self._log(Answered(readable_id, method, template, status, seconds, bundle_id))


def _request_id(headers: list[tuple[bytes, bytes]]) -> bytes:
    """What the client sent as `X-Request-ID` if it is visible ASCII of a sane length, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return value
    return os.urandom(16).hex().encode()
