"""Events of the service's work, and the values that label them."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context
from typing import Literal

from service.bundle.manifest import Manifest
from service.live.events import Event, EventType, Outcome

Stage = Literal["live", "history", "embed", "index", "rescore", "rating", "explain", "encode"]
"""Stages of the work on one batch, each timed once for all its queries. live: what the store of feedback
holds of its users. history: users, their histories and exclusions. embed: query embeddings. index: the
candidate index. rescore: exact scores and the order of the list. rating: stars. explain: `because`. encode:
the JSON of the answer."""

SearchStage = Literal["title_search", "similar_movies"]
"""Work of milliseconds without the model, for one request by itself. title_search: movies by words of their
titles, also to suggest some for an unknown title. similar_movies: the cosine of every movie with one."""

Source = Literal["personalized", "history", "popular"]
"""What the items of an answer rest on: a known user, the history of a cold-start user, or popularity."""

Endpoint = Literal["recommend", "predict_rating"]

Fallback = Literal["widened", "exact"]
"""Why one query of the candidate index was not enough. widened: it returned too few candidates after
exclusions, and was repeated for more. exact: every candidate was scored, because that was measured to be
quicker, or a widened query still returned too few."""

Rejection = Literal[
    "queue_full", "deadline", "hung_up", "body_too_large", "key", "malformed", "slow", "connections"
]
"""Why a request was rejected, by status: 503; 504; none, its client was gone; 413; 401 or 403; 400 or 431.
And why a connection was: it sent its request too slowly; there were too many."""


class Observer:
    """Receive events of the service's work and ignore them; a subclass counts or traces them.

    Methods are called from the event loop and from threads that work on batches: they must be safe for both,
    and neither block nor raise. Durations end when the method is called.
    """

    def choose(self, contexts: Sequence[Context]) -> Context:
        """Which request's context a batch is worked on in: its logs and spans belong to that request."""
        return contexts[0]

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage of the work on one batch ended."""

    def search(self, stage: SearchStage, seconds: float) -> None:
        """A search outside of any batch ended."""

    def batch(self, endpoint: Endpoint, size: int) -> None:
        """A model call begins, for this number of queries to one endpoint."""

    def queue_wait(self, seconds: float) -> None:
        """A request leaves the queue."""

    def fallback(self, kind: Fallback) -> None:
        """A search needed more than one query of the candidate index."""

    def served(self, source: Source, count: int) -> None:
        """Answers of one batch were made of this number of items."""

    def rejected(self, reason: Rejection) -> None:
        """A request or a connection was given up."""

    def bundle_live(self, manifest: Manifest) -> None:
        """This process serves this bundle from now on."""

    def bundle_refused(self, error_name: str) -> None:
        """A bundle cannot be served, for an error of this name."""

    def feedback(self, events: Sequence[Event], outcome: Outcome, num_rejected: int) -> None:
        """Events were posted, and became what the outcome says; others of the request were refused."""

    def recommended(self, bundle_id: str, source: Source, type_: EventType) -> None:
        """An event about a movie that an answer of this bundle showed was stored."""

    def rating_error(self, bundle_id: str, stars: float) -> None:
        """A rating of such a movie was posted, and differs by so many stars from what is predicted."""

    def committed(self, seconds: float) -> None:
        """Posted events, perhaps of several requests, were committed."""

    def store_away(self) -> None:
        """A batch is answered without the store of feedback, which cannot be read."""

    def report_resources(self) -> None:
        """Memory and processor time of this process are due to be reported."""
