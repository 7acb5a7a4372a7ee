"""Limit headers and body of a request, whether or not the client says how long its body is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from service.errors import BodyTooLarge, HeadersTooLarge
from service.http.problems import answer_problem
from service.telemetry.observer import Observer

MOST_HEADERS = 100
STREAMED = "/feedback/import"
"""The path whose body may be of any length: it is never held as a whole."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class RequestLimits:
    """ASGI middleware that refuses too many headers, and raises `BodyTooLarge` where too much is read.

    Args:
        app: An ASGI application.
        max_bytes: Bytes of body that are read.
        observer: Receives rejections.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], max_bytes: int, observer: Observer) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._observer = observer

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Any) -> None:
        """Handle one request."""
        if scope["type"] == "http" and len(scope["headers"]) > MOST_HEADERS:
            self._observer.rejected("malformed")
            error = HeadersTooLarge(f"expected at most {MOST_HEADERS} headers, got {len(scope['headers'])}")
            await answer_problem(error)(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] == "GET" or scope["path"] == STREAMED:
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"")
        expected = int(announced) if announced.isdigit() else 0
        received = 0

        async def receive_on() -> Message:
            nonlocal received
            if expected > self._max_bytes:
                raise self._refusal()
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise self._refusal()
            return message

        await self._app(scope, receive_on, send)

    def _refusal(self) -> BodyTooLarge:
        self._observer.rejected("body_too_large")
        return BodyTooLarge(f"expected a body of at most {self._max_bytes} bytes, got more; ask in parts")
