"""Puts the service together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from service.problems import install_problems
from service.recommender import Recommender
from service.reloading import BundleReloader
from service.routes import router
from service.settings import Settings

# FastAPI's own spans, metrics and logs would go to whatever global OpenTelemetry provider there is, with
# request values in them.
_NO_TELEMETRY = TelemetryConfig(
    tracing=False, metrics=False, logs=False, operation_spans=False, auto_configure=False
)


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application; it looks for bundles from its startup to its shutdown."""
    reloader = BundleReloader(
        settings.artifacts,
        partial(Recommender.load, settings=settings),
        reload_seconds=settings.reload_seconds,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.limiter = CapacityLimiter(settings.recommender_threads)
        reloader.start()
        try:
            yield
        finally:
            await to_thread.run_sync(reloader.stop)

    app = FastAPI(
        title="Matinee",
        summary="Movie recommendations from a two-tower model.",
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    app.state.reloader = reloader
    app.include_router(router)
    install_problems(app)
    return app
