"""`/`: the page to try the recommendations, with its files, and `/report`: what the bundle says of itself."""

from __future__ import annotations

from functools import cache, partial
from pathlib import Path

from fastapi import HTTPException, Request, Response

from service.bundle.report import REPORT_PAGE
from service.http.web_files import WebFile, read_web_files
from service.routes.live import live_recommender, off_the_loop
from service.routes.sending import PAGE_POLICY, REPORT_POLICY, page_router, send_file

router = page_router("/", "/web/", cache(read_web_files), PAGE_POLICY)


@router.api_route("/report", methods=["GET", "HEAD"], include_in_schema=False)
async def report(request: Request) -> Response:
    """The report that training put into the live bundle."""
    live = live_recommender(request)
    if REPORT_PAGE not in live.manifest.files:
        raise HTTPException(404, f"the bundle {live.bundle_id} has no report")
    artifacts: Path = request.app.state.artifacts
    path = artifacts / live.bundle_id / REPORT_PAGE
    return send_file(request, await off_the_loop(request, partial(WebFile.read, path)), REPORT_POLICY)
