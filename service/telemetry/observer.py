"""What the service tells of its own work, for whoever counts it."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import Context
from typing import Literal

from service.bundle.manifest import Manifest

Stage = Literal["history", "embed", "index", "rescore", "rating", "explain", "encode"]
"""history: who asks, what they saw and which candidates may come back. embed: query embeddings. index: the
candidate index. rescore: exact scores and the order of the list. rating: stars. explain: `because`. encode:
the answer's JSON. Where people share a model call, the stage is timed once for all of them."""

SearchStage = Literal["title_search", "similar_movies"]
"""What takes milliseconds without the model, for one request by itself. title_search: movies by what somebody
typed, also for the suggestions of an unknown title. similar_movies: the cosine of every movie with one."""

Endpoint = Literal["recommend", "predict_rating"]
Fallback = Literal["widened", "exact"]
"""Why one Annoy query was not enough: it found too few that may come back and was asked again for more, or
every candidate was scored, because that was measured to be sooner or Annoy still found too few."""

Rejection = Literal[
    "queue_full", "deadline", "hung_up", "body_too_large", "key", "malformed", "slow", "connections"
]
"""Why a request was given up: 503, 504, no answer because nobody waits for one, 413, 401 or 403, 400 or 431;
and why a connection was: it waited too long for a request, or there were too many."""


class Observer:
    """Is told, and does nothing; a subclass counts.

    Its methods are called from the event loop and from the thread that works: they must be safe for both, and
    neither block nor raise.
    """

    def choose(self, contexts: Sequence[Context]) -> Context:
        """In which request's context a batch is worked on: what is logged or traced there is its."""
        return contexts[0]

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage of one batch took so long."""

    def search(self, stage: SearchStage, seconds: float) -> None:
        """A search that is of no batch took so long, until now."""

    def batch(self, endpoint: Endpoint, size: int) -> None:
        """So many people were answered by one model call."""

    def queue_wait(self, seconds: float) -> None:
        """One request waited so long before work on it began."""

    def fallback(self, kind: Fallback) -> None:
        """One search of the candidate index needed more than one query of Annoy."""

    def served(self, source: str, count: int) -> None:
        """So many items of one answer came from `source`, a `queries.Source`."""

    def rejected(self, reason: Rejection) -> None:
        """One request was not answered."""

    def bundle_live(self, manifest: Manifest) -> None:
        """This process serves another bundle from now on."""

    def bundle_refused(self, error_name: str) -> None:
        """A bundle cannot be served."""

    def looked(self) -> None:
        """CURRENT was looked at, and whatever came of it is done."""
