"""Put the service together: what routes need, middlewares, routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware

from service.batching.answering import BatchAnswerer
from service.batching.batcher import Batcher
from service.batching.catalogue_threads import CatalogueThreads
from service.bundle.current import read_current
from service.bundle.object_storage import is_url
from service.errors import BundleError
from service.http.compression import CompressionWhereAsked
from service.http.direct_routes import DirectRoutes
from service.http.fitted_examples import USER, ExampleValues
from service.http.keys import KeyCheck, Keys
from service.http.openapi import install_openapi
from service.http.problems import install_problems, unforeseen_problem
from service.http.request_limits import RequestLimits
from service.live.live_feedback import LiveFeedback
from service.live.opening import database_of
from service.live.retention import Retention
from service.loading import load_recommender
from service.recommending.recommender import Recommender
from service.reloading.supervision import Supervision
from service.routes import routes
from service.routes.dependencies import Services
from service.routes.path_ids import MatchedPaths
from service.served_bundle import ServedBundle
from service.settings import Settings, split_keys
from service.telemetry.logs import Log
from service.telemetry.metrics import Telemetry
from service.telemetry.recording import RequestRecorder
from service.telemetry.tracing import NO_TRACING, Tracing, note_request_id

DAY_SECONDS = 86_400


def create_app(
    settings: Settings,
    *,
    served: ServedBundle | None = None,
    supervision: Supervision | None = None,
    telemetry: Telemetry | None = None,
    log: Log | None = None,
    tracing: Tracing | None = None,
    wait_for_bundle: bool = False,
) -> FastAPI:
    """Make the ASGI application.

    Args:
        settings: Of the service.
        served: The bundle it serves; None for the one that CURRENT names when it starts.
        supervision: What supervises this process; None for nothing.
        telemetry: Receives what happens; None for one of its own.
        log: Takes a line for each request; None for none.
        tracing: Takes a span for each request; None for none.
        wait_for_bundle: Whether the startup ends only when the bundle is loaded, or known not to be.
    """
    telemetry = telemetry or Telemetry()
    served = served or ServedBundle(partial(_load_current, settings))
    timeout_seconds = settings.request_timeout_ms / 1000
    database = database_of(settings.store)
    feedback = None
    if database is not None:
        feedback = LiveFeedback(
            database,
            cached_users=settings.cached_users,
            most_waiting=settings.queue_size,
            retention=Retention(DAY_SECONDS * settings.event_id_days, DAY_SECONDS * settings.click_days),
            away=telemetry.store_away,
            committed=telemetry.committed,
        )
    batcher = Batcher(
        BatchAnswerer(lambda: served.recommender, telemetry, None if feedback is None else feedback.read),
        telemetry,
        batch_size=settings.batch_size,
        queue_size=settings.queue_size,
        timeout_seconds=timeout_seconds,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        served.start(partial(_report, served, telemetry))
        if feedback is not None:
            await to_thread.run_sync(feedback.prepare)
            feedback.start()
        try:
            if wait_for_bundle:
                await to_thread.run_sync(served.wait)
            yield
        finally:
            await to_thread.run_sync(batcher.stop)
            if feedback is not None:
                await to_thread.run_sync(feedback.stop)

    keys = Keys(
        api=split_keys(settings.api_keys.get_secret_value()),
        admin=split_keys(settings.admin_keys.get_secret_value()),
        write=split_keys(settings.write_keys.get_secret_value()),
        opened=settings.open.split(","),
    )
    begun = None if tracing is None else note_request_id
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins.split(","),
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Authorization", "Content-Type", "If-None-Match", "X-API-Key", "X-Request-ID"],
        expose_headers=["ETag", "Retry-After", "X-Request-ID"],
    )
    app = FastAPI(
        title="Matinee",
        summary="Movie recommendations from a two-tower model.",
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TRACING if tracing is None else tracing.config,
        middleware=[  # the outermost first
            Middleware(
                RequestRecorder,
                telemetry=telemetry,
                unforeseen=unforeseen_problem(),
                log=log,
                begun=begun,
            ),
            Middleware(CompressionWhereAsked),
            Middleware(MatchedPaths),
            # Around the keys: a browser asks beforehand, without one, whether it may ask.
            *([cors] if settings.cors_origins else []),
            Middleware(KeyCheck, keys=keys, observer=telemetry),
            Middleware(DirectRoutes, routes=routes, max_bytes=settings.max_body_bytes),
            Middleware(RequestLimits, max_bytes=settings.max_body_bytes, observer=telemetry),
        ],
    )
    app.state.services = Services(
        served=served,
        supervision=supervision or Supervision(),
        batcher=batcher,
        catalogue_threads=CatalogueThreads(
            telemetry,
            threads=settings.catalogue_threads,
            queue_size=settings.queue_size,
            timeout_seconds=timeout_seconds,
        ),
        telemetry=telemetry,
        artifacts=settings.artifacts_directory,
        has_storage=is_url(settings.artifacts),
        feedback=feedback,
        timeout_seconds=timeout_seconds,
        has_write_keys=keys.kind_for("/feedback", "POST") == "write",
    )
    app.router.routes.extend(routes)
    install_problems(app)
    install_openapi(app, keys, partial(_example_values, served))
    return app


def _report(served: ServedBundle, telemetry: Telemetry) -> None:
    if served.error is None:
        telemetry.bundle_live(served.recommender.manifest)


def _example_values(served: ServedBundle) -> ExampleValues | None:
    try:
        recommender = served.recommender
    except BundleError:
        return None
    histories, movies = recommender.histories, recommender.catalogue
    scale = recommender.manifest.rating_scale
    return ExampleValues(
        user_id=histories.user_id_of(0) if histories.user_row(USER) is None else USER,
        movie_ids=tuple(movies.movie_ids[row] for row in movies.popular_rows[:3].tolist()),
        stars=None if scale is None else scale[1],
    )


def _load_current(settings: Settings) -> Recommender:
    return load_recommender(read_current(settings.artifacts_directory), settings)
