"""Puts the service together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from service.batching.batcher import Batcher
from service.batching.searching_threads import SearchingThreads
from service.http.keys import KeyCheck, Keys
from service.http.openapi import install_openapi
from service.http.problems import install_problems, unforeseen_problem
from service.http.request_limits import RequestLimits
from service.loading import load_recommender
from service.reloading.reloader import BundleReloader
from service.routes import routes
from service.routes.path_ids import QuotedPaths
from service.settings import Settings
from service.telemetry.logs import Log
from service.telemetry.metrics import Telemetry
from service.telemetry.recording import RequestRecorder
from service.telemetry.tracing import NO_TRACING, Tracing, note_request_id


def create_app(
    settings: Settings,
    *,
    telemetry: Telemetry | None = None,
    log: Log | None = None,
    tracing: Tracing | None = None,
    wait_for_bundle: bool = False,
) -> FastAPI:
    """The ASGI application; it looks for bundles from its startup to its shutdown.

    Args:
        settings: Of the service.
        telemetry: Counts what happens; None for one of its own.
        log: Takes a line for each request; None for none.
        tracing: Takes a span for each request; None for none.
        wait_for_bundle: Whether the startup ends only when CURRENT was looked at, and its bundle loaded.
    """
    telemetry = telemetry or Telemetry()
    reloader = BundleReloader(
        settings.artifacts,
        partial(load_recommender, settings=settings),
        reload_seconds=settings.reload_seconds,
        observer=telemetry,
    )

    batcher = Batcher(lambda: reloader.recommender, settings, telemetry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        reloader.start()
        try:
            if wait_for_bundle:
                await to_thread.run_sync(reloader.wait)
            yield
        finally:
            await to_thread.run_sync(batcher.stop)
            await to_thread.run_sync(reloader.stop)

    app = FastAPI(
        title="Matinee",
        summary="Movie recommendations from a two-tower model.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TRACING if tracing is None else tracing.config,
    )
    app.state.artifacts = settings.artifacts
    app.state.reloader = reloader
    app.state.batcher = batcher
    app.state.searching = SearchingThreads(settings, telemetry)
    app.state.telemetry = telemetry
    app.router.routes.extend(routes)
    app.add_middleware(QuotedPaths)
    app.add_middleware(RequestLimits, max_bytes=settings.max_body_bytes, observer=telemetry)
    keys = Keys(settings)
    app.add_middleware(KeyCheck, keys=keys, observer=telemetry)
    if settings.cors_origins:
        # Around the keys: a browser asks beforehand, without one, whether it may ask.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins.split(","),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    install_problems(app)
    install_openapi(app, keys)
    app.add_middleware(
        RequestRecorder,
        telemetry=telemetry,
        unforeseen=unforeseen_problem(),
        log=log,
        begun=None if tracing is None else note_request_id,
    )
    return app
