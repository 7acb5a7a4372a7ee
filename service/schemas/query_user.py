"""Who asks: the fields that every request about a person shares."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from service.bundle import HistoryEntry
from service.schemas.fields import (
    MOST_ENTRIES,
    Body,
    Element,
    MovieId,
    Timestamp,
    UserId,
    refuse_many_fields,
)

LARGEST_RATING = 1e9
"""Of any scale; the live bundle's own is much narrower."""


class HistoryEntryBody(Element):
    """A movie that the person saw."""

    movie_id: MovieId
    rating: float | None = Field(
        default=None,
        ge=-LARGEST_RATING,
        le=LARGEST_RATING,
        allow_inf_nan=False,
        description="Stars on the bundle's scale; null where not rated.",
        examples=[5],
    )


class QueryUserBody(Body):
    """Who asks: a user id, a history, or both."""

    user_id: UserId | None = Field(
        default=None, description="A user's id, known to the bundle or not; null for nobody.", examples=["42"]
    )
    history: list[HistoryEntryBody] = Field(
        default=[],
        fail_fast=True,  # 5,000 errors in each of 256 requests take seconds to tell
        max_length=MOST_ENTRIES,
        examples=[[{"movie_id": "50", "rating": 5}, {"movie_id": "181"}]],
        validate_default=True,
        description="Movies seen, oldest first, added to what the bundle knows of the user. A movie that is "
        "named twice, or known already, takes the last rating and place given here. The model reads the most "
        "recent ones, as many as `max_history` of the bundle's manifest says; all of them are excluded.",
    )
    timestamp: Timestamp = None

    def history_entries(self) -> list[HistoryEntry]:
        """The history as `service.recommending.queries` has it."""
        return [{"movie_id": entry.movie_id, "rating": entry.rating} for entry in self.history]

    @field_validator("history", mode="before")
    @classmethod
    def _few_fields_each(cls, sent: object) -> object:
        # Here, not in each entry: a long history would be charged a call for every one.
        for entry in sent if isinstance(sent, list) else ():
            refuse_many_fields(entry)
        return sent

    @field_validator("history")
    @classmethod
    def _says_who_asks(cls, history: list[HistoryEntryBody], info: ValidationInfo) -> list[HistoryEntryBody]:
        if not history and "user_id" in info.data and info.data["user_id"] is None:
            raise ValueError("expected user_id or a non-empty history, got neither")
        return history
