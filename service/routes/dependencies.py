"""What routes need of the service, as FastAPI dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from service.batching.batcher import Batcher
from service.batching.catalogue_threads import CatalogueThreads
from service.live.live_feedback import LiveFeedback
from service.live.live_users import NO_STORE, LiveView, Withheld
from service.recommending.recommender import Recommender
from service.reloading.supervision import Supervision
from service.served_bundle import ServedBundle
from service.telemetry.metrics import Telemetry
from service.telemetry.recording import BUNDLE_ID_IN_SCOPE


@dataclass(frozen=True)
class Services:
    """All that routes use, made once by `service.app`.

    Attributes:
        served: The bundle that is served.
        supervision: What supervises this process.
        batcher: Answers queries.
        catalogue_threads: Run searches of the catalogue.
        telemetry: Metrics.
        artifacts: Where bundles are.
        has_storage: Whether these are copies of an object storage's.
        feedback: The store of feedback; None where there is none.
        timeout_seconds: How long a request may take.
        has_write_keys: Whether feedback takes a key of its own.
    """

    served: ServedBundle
    supervision: Supervision
    batcher: Batcher
    catalogue_threads: CatalogueThreads
    telemetry: Telemetry
    artifacts: Path
    has_storage: bool
    feedback: LiveFeedback | None
    timeout_seconds: float
    has_write_keys: bool = False


class LiveMovies(NamedTuple):
    """The movies by now, as one reading of the store has them.

    Attributes:
        recommender: Knows those that were posted.
        withheld: Which are withheld from all users.
    """

    recommender: Recommender
    withheld: Withheld


def services_of(request: Request) -> Services:
    """The services of the application that got a request.

    Routes have them by `FromServices`. The two busiest paths call this instead: FastAPI takes 11 us to
    resolve a dependency, of 180 us for a whole answer (docs/performance.md).
    """
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return services_of(request)


FromServices = Annotated[Services, Depends(_services)]


async def _bundle_recommender(request: Request) -> Recommender:
    """The recommender of the bundle that is served.

    Raises:
        BundleError: There is none.
    """
    recommender = services_of(request).served.recommender
    request.scope[BUNDLE_ID_IN_SCOPE] = recommender.bundle_id
    return recommender


BundleRecommender = Annotated[Recommender, Depends(_bundle_recommender)]


def live_view(services: Services) -> LiveView:
    """What the store of feedback holds of movies by now."""
    return NO_STORE if services.feedback is None else services.feedback.read(())


def with_posted(recommender: Recommender, services: Services) -> Recommender:
    """A recommender that also knows the movies that were posted by now."""
    return recommender.with_movies(live_view(services).posted)


async def _live_recommender(recommender: BundleRecommender, services: FromServices) -> Recommender:
    return with_posted(recommender, services)


LiveRecommender = Annotated[Recommender, Depends(_live_recommender)]
"""The same, which also knows the movies that were posted by now."""


async def _live_movies(recommender: BundleRecommender, services: FromServices) -> LiveMovies:
    view = live_view(services)
    return LiveMovies(recommender.with_movies(view.posted), view.withheld)


FromLiveMovies = Annotated[LiveMovies, Depends(_live_movies)]
