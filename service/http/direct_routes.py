"""Call the busiest routes ahead of the router, where a request is an ordinary one.

FastAPI's router, exit stacks and dependency resolution take about as long as a whole answer of these routes.
A `DirectRoute` is still a FastAPI route, with its OpenAPI document, its pydantic body and its endpoint. What
`DirectRoutes` cannot call at once, such as a body that is not valid, goes on to FastAPI as it came: there is
one answer to each request, whichever way it takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, get_type_hints

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import MatineeError
from service.http.api_route import ApiRoute
from service.http.problems import answer_to_error
from service.http.request_limits import MOST_HEADERS

_JSON = b"application/json"

Endpoint = Callable[..., Awaitable[Response]]


class DirectRoute(ApiRoute):
    """A POST route whose endpoint takes `body`, a pydantic model, and `request`, and nothing else."""


class _Direct(NamedTuple):
    """What is needed to call an endpoint: its route, the validation of its body's bytes, itself."""

    route: DirectRoute
    validate: Callable[[bytes], BaseModel]
    endpoint: Endpoint


class DirectRoutes:
    """ASGI middleware that calls the endpoints of `DirectRoute`s, and passes every other request on.

    Args:
        app: An ASGI application, which has the routes too.
        routes: Of the application.
        max_bytes: Bytes of a body; a longer one is passed on.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute], max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._direct = {route.path: _direct(route) for route in routes if isinstance(route, DirectRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        direct = self._direct.get(scope["path"]) if scope["type"] == "http" else None
        if direct is None or scope["method"] != "POST" or not self._is_ordinary(scope):
            await self._app(scope, receive, send)
            return
        messages = await self._read(receive)
        try:
            model = direct.validate(b"".join(message.get("body", b"") for message in messages))
        except ValidationError:
            await self._app(scope, _receive_again(messages, receive), send)
            return
        scope["route"] = direct.route
        request = Request(scope, receive)
        try:
            response = await direct.endpoint(body=model, request=request)
        except MatineeError as error:
            response = answer_to_error(request, error)
        await response(scope, receive, send)

    async def _read(self, receive: Receive) -> list[Message]:
        """The messages of a body, up to one that ends it or makes it longer than it may be."""
        messages = [await receive()]
        num_bytes = len(messages[0].get("body", b""))
        while messages[-1].get("more_body") and num_bytes <= self._max_bytes:
            messages.append(await receive())
            num_bytes += len(messages[-1].get("body", b""))
        return messages

    def _is_ordinary(self, scope: Scope) -> bool:
        """Whether the body is announced as JSON of a length within bounds, and nothing else needs a look."""
        headers = scope["headers"]
        # A span takes its name and route from the router.
        if scope["query_string"] or len(headers) > MOST_HEADERS or "fastapi.telemetry" in scope:
            return False
        is_json, num_bytes = False, -1
        for name, value in headers:
            if name == b"content-type":
                is_json = value == _JSON
            elif name == b"content-length" and value.isdigit():
                num_bytes = int(value)
        return is_json and 0 < num_bytes <= self._max_bytes


def _direct(route: DirectRoute) -> _Direct:
    model: Any = get_type_hints(route.endpoint)["body"]
    return _Direct(route, model.__pydantic_validator__.validate_json, route.endpoint)


def _receive_again(messages: list[Message], receive: Receive) -> Receive:
    """`receive`, with messages before all others."""
    first = iter(messages)

    async def receive_on() -> Message:
        message = next(first, None)
        return await receive() if message is None else message

    return receive_on
