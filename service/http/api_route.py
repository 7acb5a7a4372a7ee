"""The routes of the API: HEAD wherever GET is, and no query parameter that is not documented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from service.http.field_names import UNKNOWN_FIELD


class ApiRoute(APIRoute):
    """An operation of the API: the name of its function is its id, by which generated clients call it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **arguments: Any) -> None:
        # The name is unique, and what FastAPI makes of it, path and method is no name for a function.
        name = endpoint.__name__
        arguments["operation_id"] = arguments.get("operation_id") or name
        arguments["summary"] = arguments.get("summary") or name.replace("_", " ").capitalize()
        super().__init__(path, endpoint, **arguments)
        self._has_parameters = bool(self.dependant.query_params)
        self._takes_head = "GET" in (self.methods or ())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As of any route; one that answers GET also matches HEAD, which is not documented for each."""
        match, child = super().matches(scope)
        if match is Match.PARTIAL and self._takes_head and scope["method"] == "HEAD":
            return Match.FULL, child
        return match, child

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Raises:
            RequestValidationError: It has query parameters, and the operation takes none.
        """
        if scope["query_string"] and not self._has_parameters:
            # Where it takes some, its model refuses what it does not know.
            names = dict(parse_qsl(scope["query_string"].decode(errors="replace"), keep_blank_values=True))
            errors = [
                {"type": UNKNOWN_FIELD, "loc": ("query", name), "msg": "", "input": None} for name in names
            ]
            if errors:
                raise RequestValidationError(errors)
        if self._takes_head and scope["method"] == "HEAD":
            await self.app(scope, receive, send)  # the server sends no body
        else:
            await super().handle(scope, receive, send)
