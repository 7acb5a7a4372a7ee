"""Check keys, sent as `X-API-Key` or as a bearer token, and what each kind opens.

A request without a key is refused before its body is read, also on paths that do not exist; a check costs one
hash.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from hashlib import sha256
from typing import Any

from service.errors import AdminClosed, KeyGuessed, KeyMissing, KeyRefused, KeyWrong
from service.http.key_guesses import MOST_GUESSES, WINDOW_SECONDS, KeyGuesses
from service.http.problems import answer_problem
from service.telemetry.observer import Observer

ALWAYS_OPEN = ("/healthz", "/readyz")
"""For probes, which have no key."""
MAY_BE_OPEN = {
    "page": ("/", "/web/"),
    "docs": ("/docs", "/docs/", "/openapi.json"),
    "metrics": ("/metrics",),
    "report": ("/report",),
}
"""By what MATINEE_OPEN names: paths, and where they end in a slash all below too."""

_WHOSE = {
    "admin": "of an operator (MATINEE_ADMIN_KEYS)",
    "write": "of an app that writes (MATINEE_WRITE_KEYS)",
    "api": "of an app (MATINEE_API_KEYS)",
}
_WRITING = frozenset(("DELETE", "PATCH", "PUT"))
"""Methods that change something, wherever; of the paths below /feedback all are writers', also the export."""
_SENT = "send one as X-API-Key, or as Authorization: Bearer"

Headers = Iterable[tuple[bytes, bytes]]


class Keys:
    """The keys there are, and the paths that need none.

    Args:
        api: Keys of apps; empty where no app needs one.
        admin: Keys of operators; empty where /admin is closed.
        write: Keys of apps that write feedback; empty where those of `api` do.
        opened: Names of `MAY_BE_OPEN`, which need no key of an app.
    """

    def __init__(
        self, *, api: Iterable[str], admin: Iterable[str], opened: Iterable[str], write: Iterable[str] = ()
    ) -> None:
        self._digests = {"api": _digests(api), "admin": _digests(admin), "write": _digests(write)}
        paths = [path for name in opened for path in MAY_BE_OPEN.get(name, ())]
        self._open = frozenset((*ALWAYS_OPEN, *paths))
        self._open_below = tuple(path for path in paths if path.endswith("/") and path != "/")
        self._guesses = KeyGuesses()

    def kind_for(self, path: str, method: str = "GET") -> str | None:
        """Which kind of key a request needs: `admin`, `write`, `api`, or None where it needs none."""
        if path == "/admin" or path.startswith("/admin/"):
            return "admin"
        if self._digests["write"] and (
            path == "/feedback"
            or path.startswith("/feedback/")
            or (path, method) == ("/movies", "POST")
            or method in _WRITING
        ):
            return "write"
        if not self._digests["api"] or path in self._open or path.startswith(self._open_below):
            return None
        return "api"

    def check(self, path: str, headers: Headers, *, method: str = "GET", address: str = "") -> None:
        """Return where a request may be answered.

        Raises:
            AdminClosed: It is for operators, and no key of theirs is set.
            KeyMissing: No key came, or an unknown one.
            KeyWrong: A key of another kind came.
            KeyGuessed: Too many unknown keys came from its address.
        """
        wanted = self.kind_for(path, method)
        if wanted is None:
            return
        whose = _WHOSE[wanted]
        if wanted == "admin" and not self._digests["admin"]:
            raise AdminClosed("/admin is closed: set MATINEE_ADMIN_KEYS to open it to those who have a key")
        sent = _sent(headers)
        if sent is None:
            raise KeyMissing(f"expected a key {whose}, got none; {_SENT}")
        digest = sha256(sent).digest()
        if self._guesses.is_slowed(address, digest):
            raise KeyGuessed(
                f"more than {MOST_GUESSES} unknown keys came from this address within {WINDOW_SECONDS} s; "
                "no other "
                "is looked at until they are over"
            )
        kinds = [kind for kind, digests in self._digests.items() if _is_among(digest, digests)]
        if not kinds:
            self._guesses.wrong(address)
            raise KeyMissing(f"expected a key {whose}, got an unknown one; {_SENT}")
        self._guesses.right(address, digest)
        # Who writes also asks.
        if wanted not in kinds and not (wanted == "api" and "write" in kinds):
            raise KeyWrong(f"expected a key {whose}, got one of the other kind")


class KeyCheck:
    """ASGI middleware that answers a request without the right key with a problem.

    Args:
        app: An ASGI application.
        keys: What opens which path.
        observer: Receives rejections.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], keys: Keys, observer: Observer) -> None:
        self._app = app
        self._check = keys.check
        self._observer = observer

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] == "http":
            try:
                client = scope.get("client")
                self._check(
                    scope["path"],
                    scope["headers"],
                    method=scope["method"],
                    address=client[0] if client else "",
                )
            except KeyRefused as error:
                self._observer.rejected("key")
                await answer_problem(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _digests(keys: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(sha256(key.encode()).digest() for key in keys)


def _sent(headers: Headers) -> bytes | None:
    bearer = None
    for name, value in headers:
        if name == b"x-api-key" and value:
            return value
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip()
    return bearer or None


def _is_among(sent: bytes, digests: tuple[bytes, ...]) -> bool:
    """In a time that does not depend on the key: all are compared, and their digests are equally long."""
    return sum(hmac.compare_digest(sent, digest) for digest in digests) > 0
