"""How files that browsers show are sent: what they may do, and when they need not be sent again."""

from __future__ import annotations

from fastapi import Request, Response

from service.http.web_files import WebFile

_COMMON = {
    # Browsers keep what they have and ask whether it is still that: a new version shows at once.
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_EVERYWHERE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    f"require-trusted-types-for 'script'; trusted-types 'none'; {_EVERYWHERE}"
)
"""Only the page's own files, and no text that a script makes into elements."""
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    f"connect-src 'self'; {_EVERYWHERE}"
)
"""Swagger UI styles its elements one by one and has its icons in its stylesheet; no inline script."""
REPORT_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; sandbox; {_EVERYWHERE}"
"""The report brings its styles and charts along and has no script."""


def send_file(request: Request, sent: WebFile, policy: str) -> Response:
    """The file with what it may do as its Content-Security-Policy, or 304 for who has it."""
    headers = _COMMON | {"Content-Security-Policy": policy, "ETag": sent.etag}
    known = request.headers.get("if-none-match", "")
    if sent.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(sent.content, media_type=sent.media_type, headers=headers)
