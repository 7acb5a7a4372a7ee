"""Send files that browsers show, with their security headers, or 304 where they are cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from service.http.conditional import is_kept
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


def page_router(
    path: str, files_path: str, files: Callable[[], Mapping[str, WebFile]], policy: str
) -> APIRouter:
    """A page, which is the file `index.html`, at `path`, and every file of it below `files_path`.

    Args:
        path: Such as `/docs`.
        files_path: Such as `/docs/`.
        files: Gives the files by name.
        policy: What they may do.
    """
    router = APIRouter(tags=["pages"])

    @router.api_route(path, methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request) -> Response:
        return send_file(request, files()["index.html"], policy)

    @router.api_route(files_path, methods=["GET", "HEAD"], include_in_schema=False)
    async def page_with_slash() -> Response:
        # The page's links are relative, so that it may lie below any path.
        return RedirectResponse(f"..{path}", 308)

    @router.api_route(f"{files_path}{{name}}", methods=["GET", "HEAD"], include_in_schema=False)
    async def file(name: str, request: Request) -> Response:
        found = files().get(name)
        if found is None:
            raise HTTPException(404, "the page has no such file")
        return send_file(request, found, policy)

    return router


def send_file(request: Request, sent: WebFile, policy: str) -> Response:
    """The file with what it may do as its Content-Security-Policy, or 304 for who has it."""
    headers = _COMMON | {"Content-Security-Policy": policy, "ETag": sent.etag}
    if is_kept(request, sent.etag):
        return Response(status_code=304, headers=headers)
    return Response(sent.content, media_type=sent.media_type, headers=headers)
