"""Answers that clients may keep: named by what decides them, and not sent again to who has them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import Request, Response

_SCHEMAS = Path(__file__).parents[1] / "schemas"
NOT_MODIFIED: dict[int | str, dict[str, str]] = {
    304: {"description": "What `If-None-Match` names is still the answer."}
}
"""Of the `responses` argument of a route."""


def etag_of(*versions: object) -> str:
    """The ETag of an answer that these versions and its path decide: the same of every worker and replica.

    It is weak: the same answer may be sent compressed.
    """
    named = "\0".join(map(str, (_forms(), *versions)))
    return f'W/"{sha256(named.encode()).hexdigest()[:32]}"'


def caching(etag: str) -> dict[str, str]:
    """Headers by which clients keep an answer, and ask whether it still holds before they show it again."""
    # What a user posts is in force in the next answer, so none may be used without asking.
    return {"ETag": etag, "Cache-Control": "private, no-cache"}


def is_kept(request: Request, etag: str) -> bool:
    """Whether the client has the answer of this ETag."""
    sent = request.headers.get("if-none-match", "")
    opaque = etag.removeprefix("W/")
    return any(tag.strip().removeprefix("W/") in {opaque, "*"} for tag in sent.split(",") if tag.strip())


def not_modified(etag: str) -> Response:
    """304: what the client has holds."""
    return Response(status_code=304, headers=caching(etag))


@cache
def _forms() -> str:
    """Differs between versions of the service whose answers may differ in form."""
    sources = b"".join(path.read_bytes() for path in sorted(_SCHEMAS.glob("*.py")))
    return sha256(sources).hexdigest()
