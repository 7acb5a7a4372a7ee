"""`/`: the page to try the recommendations, with its files, and `/report`: what the bundle says of itself."""

from __future__ import annotations

from functools import cache, partial

from fastapi import HTTPException, Request, Response

from service.bundle.report import REPORT_PAGE
from service.http.web_files import WebFile, read_web_files
from service.routes.dependencies import BundleRecommender, FromServices
from service.routes.sending import PAGE_POLICY, REPORT_POLICY, page_router, send_file

router = page_router("/", "/web/", cache(read_web_files), PAGE_POLICY)


@router.api_route("/report", methods=["GET", "HEAD"], include_in_schema=False)
async def report(request: Request, recommender: BundleRecommender, services: FromServices) -> Response:
    """The report that training put into the live bundle."""
    if REPORT_PAGE not in recommender.manifest.files:
        raise HTTPException(404, f"the bundle {recommender.bundle_id} has no report")
    path = services.artifacts / recommender.bundle_id / REPORT_PAGE
    file = await services.catalogue_threads.run(partial(WebFile.read, path))
    return send_file(request, file, REPORT_POLICY)
