"""A response of encoded JSON, without what Starlette does for each response of any kind."""

from __future__ import annotations

from fastapi import Response

_CONTENT_TYPE = (b"content-type", b"application/json")


class JsonAnswer(Response):
    """200 with a body that is JSON in UTF-8 already.

    Args:
        body: The JSON.
    """

    def __init__(self, body: bytes) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), _CONTENT_TYPE]
