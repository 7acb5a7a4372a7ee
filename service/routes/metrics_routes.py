"""`/metrics`: what the service counts, for Prometheus."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from service.http.api_route import ApiRoute
from service.routes.dependencies import FromServices

router = APIRouter(route_class=ApiRoute, tags=["operation"])


@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(request: Request, services: FromServices) -> Response:
    """Metrics of all workers in Prometheus's text format, or OpenMetrics where that is asked for."""
    accept = request.headers.get("accept", "")
    # In a thread: the files of several processes take some milliseconds to add up.
    text, content_type = await to_thread.run_sync(services.telemetry.exposition, accept)
    return Response(text, headers={"content-type": content_type})
