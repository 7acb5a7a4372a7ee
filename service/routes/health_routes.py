"""`/healthz`, `/readyz`, `/model`: whether the process lives, and what it serves."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.errors import ShuttingDown
from service.http.api_route import ApiRoute
from service.http.conditional import NOT_MODIFIED, caching, etag_of, is_kept, not_modified
from service.http.problems import document_problems
from service.reloading.refusals import Refusal
from service.routes.dependencies import BundleRecommender, FromServices
from service.schemas.health import Alive, ModelAnswer, Ready, RefusedBundle

router = APIRouter(route_class=ApiRoute, tags=["operation"])


def refused_bundle(refusal: Refusal | None) -> RefusedBundle | None:
    """As it is shown."""
    if refusal is None:
        return None
    return RefusedBundle(
        bundle_id=refusal.bundle_id, error=refusal.error, detail=refusal.detail, since=refusal.since
    )


@router.get("/healthz")
async def check_alive() -> Alive:
    """Whether the process lives; says nothing about a bundle."""
    return Alive()


@router.get("/readyz", responses=document_problems(503))
async def check_ready(recommender: BundleRecommender, services: FromServices) -> Ready:
    """Whether a verified and warmed bundle answers, and which."""
    if services.supervision.is_draining:
        raise ShuttingDown("this replica is about to stop; ask another")
    return Ready(bundle_id=recommender.bundle_id)


@router.get("/model", response_model=ModelAnswer, responses=document_problems(503) | NOT_MODIFIED)
async def get_model(
    recommender: BundleRecommender, services: FromServices, request: Request, response: Response
) -> ModelAnswer | Response:
    """Where the live bundle comes from and how good it measured."""
    manifest = recommender.manifest
    kept = "write-key" if services.has_write_keys else "on"
    kept = "off" if services.feedback is None else kept
    refusal = services.supervision.refusal
    etag = etag_of(manifest.bundle_id, refusal, kept)
    if is_kept(request, etag):
        return not_modified(etag)
    response.headers.update(caching(etag))
    return ModelAnswer(
        bundle_id=manifest.bundle_id,
        metrics="not measured" if manifest.metrics is None else manifest.metrics,
        refused=refused_bundle(refusal),
        feedback=kept,
        manifest=manifest.to_document(),
    )
