"""Fields that identify the user of a query: user id, history, time."""

from __future__ import annotations

from pydantic import Field, field_validator

from service.bundle.golden_requests import HistoryEntry
from service.schemas.fields import MOST_ENTRIES, NO_ITEMS, Body, Element, refuse_many_fields
from service.schemas.ids import MovieId, UserId
from service.schemas.timestamps import Timestamp

STRICT = "Refuse movies that the bundle does not know, wherever they stand (404), instead of ignoring them."
LARGEST_RATING = 1e9
"""Bound for any scale; the live bundle's own is checked later."""


class HistoryEntryBody(Element):
    """A movie that the user has seen."""

    movie_id: MovieId
    rating: float | None = Field(
        default=None,
        ge=-LARGEST_RATING,
        le=LARGEST_RATING,
        allow_inf_nan=False,
        description="Stars on the bundle's rating scale; null if not rated. Ignored by a bundle that was "
        "trained on watches without ratings.",
        examples=[5],
    )


class QueryUserBody(Body):
    """Base of bodies about a user: a user id, a history, both, or neither."""

    user_id: UserId | None = Field(
        default=None,
        description="A user's id, known or not; null if there is none: with a history a cold-start user, "
        "without one a user of whom nothing is known.",
        examples=["42"],
    )
    history: list[HistoryEntryBody] = Field(
        default_factory=list,
        json_schema_extra=NO_ITEMS,
        fail_fast=True,  # listing 5,000 errors for each of 256 requests takes seconds
        max_length=MOST_ENTRIES,
        examples=[[{"movie_id": "50", "rating": 5}, {"movie_id": "181"}]],
        description="Movies seen, oldest first, appended to the user's stored history. The last entry of a "
        "movie replaces earlier and stored ones. The model reads the most recent `max_history` movies (see "
        "the manifest); all of them are excluded. Movies that the bundle does not know are ignored, and the "
        "answer lists them.",
    )
    timestamp: Timestamp = None
    strict: bool = Field(
        default=False,
        description=STRICT,
        examples=[False],
    )

    def history_entries(self) -> list[HistoryEntry]:
        """Return the history as queries of `service.recommending` take it."""
        return [{"movie_id": entry.movie_id, "rating": entry.rating} for entry in self.history]

    @field_validator("history", mode="before")
    @classmethod
    def _few_fields_each(cls, sent: object) -> object:
        # Here and not in the entry's model: that would cost a Python call per entry.
        for entry in sent if isinstance(sent, list) else ():
            refuse_many_fields(entry)
        return sent
