"""`/admin/reload`, `/admin/rollback`: what an operator may do to the bundle that is served."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter

from service.bundle.current import roll_back
from service.errors import BundleError, RollbackRefused
from service.http.api_route import ApiRoute
from service.http.problems import document_problems
from service.routes.dependencies import FromServices, Services
from service.routes.health_routes import refused_bundle
from service.schemas.admin import BundleNow

router = APIRouter(route_class=ApiRoute, tags=["operation"], prefix="/admin")


@router.post("/reload", responses=document_problems())
async def reload_bundle(services: FromServices) -> BundleNow:
    """Reads CURRENT now, tries what was refused again, and answers when a worker serves it or it was refused.

    Other workers follow one after the other. SIGHUP does the same.
    """
    return await _look(services)


@router.post("/rollback", responses=document_problems(409))
async def roll_back_bundle(services: FromServices) -> BundleNow:
    """Exchanges CURRENT and PREVIOUS and takes up the bundle that was live before; twice undoes it.

    It answers as `/admin/reload` does.
    """
    if services.has_storage:
        raise RollbackRefused("bundles are in object storage: run `matinee rollback --artifacts URL`")
    try:
        await to_thread.run_sync(roll_back, services.artifacts)
    except (BundleError, OSError) as error:
        raise RollbackRefused(f"CURRENT and PREVIOUS stay as they are: {error}") from error
    return await _look(services)


async def _look(services: Services) -> BundleNow:
    outcome = await services.supervision.look(services.served.bundle_id)
    return BundleNow(bundle_id=outcome.bundle_id, refused=refused_bundle(outcome.refusal))
