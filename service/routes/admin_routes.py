"""`/admin/reload`, `/admin/rollback`: what an operator may do to the bundle that is served."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request

from service.bundle.current import roll_back
from service.errors import BundleError, RollbackRefused
from service.http.problems import document_problems
from service.reloading.reloader import BundleReloader
from service.routes.health_routes import refused_bundle
from service.schemas.admin import BundleNow

router = APIRouter(tags=["operation"], prefix="/admin")


@router.post("/reload", responses=document_problems())
async def reload(request: Request) -> BundleNow:
    """Looks at CURRENT now, tries what was refused again, and answers when that is done.

    Other workers look within `MATINEE_RELOAD_SECONDS`; SIGHUP has all of them look at once.
    """
    return await _look(request.app.state.reloader)


@router.post("/rollback", responses=document_problems(409))
async def rollback(request: Request) -> BundleNow:
    """Exchanges CURRENT and PREVIOUS and takes the bundle up that was live before; twice undoes it.

    Other workers follow within `MATINEE_RELOAD_SECONDS`.
    """
    try:
        await to_thread.run_sync(roll_back, request.app.state.artifacts)
    except (BundleError, OSError) as error:
        raise RollbackRefused(f"CURRENT and PREVIOUS stay as they are: {error}") from error
    return await _look(request.app.state.reloader)


async def _look(reloader: BundleReloader) -> BundleNow:
    await to_thread.run_sync(reloader.look_now)
    return BundleNow(bundle_id=reloader.bundle_id, refused=refused_bundle(reloader.refusal))
