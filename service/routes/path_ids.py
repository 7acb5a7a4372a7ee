"""Match paths: with or without a slash at the end, and with ids of any text, also with slashes, or empty.

A server unquotes the path before it is matched, and `/movies/a%2Fsimilar` would then be the same as
`/movies/a/similar`. So paths that hold an id are matched as they were sent, and the id is unquoted after.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIXES = ("/movies/", "/users/")
_WITH_SLASH = frozenset(("/", "/docs/", "/web/", *_PREFIXES))


class IdConvertor(Convertor[str]):
    """What lies between two slashes, unquoted; it may be empty."""

    regex = "[^/]*"

    def convert(self, value: str) -> str:
        """The id that a part of a path spells."""
        return unquote(value)

    def to_string(self, value: str) -> str:
        """The part of a path that spells an id."""
        return quote(value, safe="")


ID = "id"
"""The convertor's name in a path: `f"/movies/{{movie_id:{ID}}}"`."""
register_url_convertor(ID, IdConvertor())


class MatchedPaths:
    """ASGI middleware that has paths with an id matched as they were sent, and none with a slash at its end.

    It stands around whatever decides by the path, or `/feedback/` would not need the key of `/feedback`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, its path still quoted where it begins like one with an id."""
        if scope["type"] == "http":
            path = scope["path"]
            # Not in a copy: the route that is found is read from this scope by what is around.
            if path.startswith(_PREFIXES):
                scope["path"] = path = scope["raw_path"].decode(errors="replace")
            # In `/movies/` and `/movies//similar` the id is empty.
            if path[-1:] == "/" and path not in _WITH_SLASH and path[-2:] != "//":
                scope["path"] = path[:-1]
        await self._app(scope, receive, send)
