"""`/`: the page to try the recommendations, with its files, and `/report`: what the bundle says of itself."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from service.bundle import REPORT_PAGE
from service.http.web_files import WebFile, read_web_files
from service.routes.live import live_recommender, off_the_loop
from service.routes.sending import PAGE_POLICY, REPORT_POLICY, send_file

router = APIRouter(tags=["pages"])

_web_files = cache(read_web_files)


@router.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
async def page(request: Request) -> Response:
    """The page."""
    return send_file(request, _web_files()["index.html"], PAGE_POLICY)


@router.api_route("/web/{name}", methods=["GET", "HEAD"], include_in_schema=False)
async def file(name: str, request: Request) -> Response:
    """A file of the page."""
    found = _web_files().get(name)
    if found is None:
        raise HTTPException(404, "the page has no such file")
    return send_file(request, found, PAGE_POLICY)


@router.api_route("/report", methods=["GET", "HEAD"], include_in_schema=False)
async def report(request: Request) -> Response:
    """The report that training put into the live bundle."""
    live = live_recommender(request)
    if REPORT_PAGE not in live.manifest.files:
        raise HTTPException(404, f"the bundle {live.bundle_id} has no report")
    artifacts: Path = request.app.state.artifacts
    path = artifacts / live.bundle_id / REPORT_PAGE
    return send_file(request, await off_the_loop(request, partial(WebFile.read, path)), REPORT_POLICY)
