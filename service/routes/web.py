"""`/`: the page to try the recommendations, with its files, and `/report`: what the bundle says of itself."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from service.bundle import REPORT_PAGE
from service.routes.live import live_recommender, off_the_loop
from service.web_files import WebFile, read_web_files

router = APIRouter()

_COMMON = {
    # Browsers keep what they have and ask whether it is still that: a new version shows at once.
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_EVERYWHERE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# Only the page's own files, and no text that a script makes into elements.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    f"require-trusted-types-for 'script'; trusted-types 'none'; {_EVERYWHERE}"
)
# The report brings its styles and charts along and has no script.
_REPORT_POLICY = f"default-src 'none'; style-src 'unsafe-inline'; sandbox; {_EVERYWHERE}"

_web_files = cache(read_web_files)


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request) -> Response:
    """The page."""
    return _send(request, _web_files()["index.html"])


@router.api_route("/web/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def file(name: str, request: Request) -> Response:
    """A file of the page."""
    found = _web_files().get(name)
    if found is None:
        raise HTTPException(404, "the page has no such file")
    return _send(request, found)


@router.api_route("/report", methods=["GET", "HEAD"], include_in_schema=False)
async def report(request: Request) -> Response:
    """The report that training put into the live bundle."""
    live = live_recommender(request)
    if REPORT_PAGE not in live.manifest.files:
        raise HTTPException(404, f"the bundle {live.bundle_id} has no report")
    artifacts: Path = request.app.state.artifacts
    path = artifacts / live.bundle_id / REPORT_PAGE
    return _send(request, await off_the_loop(request, partial(WebFile.read, path)), _REPORT_POLICY)


def _send(request: Request, sent: WebFile, policy: str = _PAGE_POLICY) -> Response:
    headers = _COMMON | {"Content-Security-Policy": policy, "ETag": sent.etag}
    known = request.headers.get("if-none-match", "")
    if sent.etag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(sent.content, media_type=sent.media_type, headers=headers)
