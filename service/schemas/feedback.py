"""Schemas of `/feedback` and `/users/{user_id}/feedback`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError, ValidationInfo

from service.http.problem_details import Problem
from service.live.events import Event, EventType
from service.schemas.batches import Alone, Refused
from service.schemas.fields import (
    LARGEST_INTEGER,
    WRITTEN_WITH_A_POINT,
    Body,
    Element,
    Limit,
    MovieId,
    Offset,
    Parameters,
    Text,
    UserId,
)
from service.schemas.query_user import LARGEST_RATING

MOST_EVENTS = 1_000
MOST_REJECTED = 20
"""Records of an import whose errors are shown."""
FUTURE_SECONDS = 300
"""How far ahead a client's clock may be."""
_MILLISECONDS = 100_000_000_000
"""Seconds of the year 5138; whatever is larger counts in smaller units."""


def check_timestamp(timestamp: int | None) -> int | None:
    """A time that may be: not ahead, and in seconds.

    Raises:
        ValueError: It is not.
    """
    if timestamp is None:
        return None
    if timestamp >= _MILLISECONDS:
        raise ValueError(
            f"expected Unix seconds, got {timestamp}, which is milliseconds or less; divide by 1000 or more"
        )
    now = int(time.time())
    if timestamp > now + FUTURE_SECONDS:
        raise ValueError(
            f"expected a time at most {FUTURE_SECONDS} s ahead, got {timestamp}, which is {timestamp - now} "
            "s ahead of "
            f"{now}; leave it out for now, or set the client's clock"
        )
    return timestamp


def _check_value(value: float | None, info: ValidationInfo) -> float | None:
    type_ = info.data.get("type")
    if type_ == "rating" and value is None:
        raise ValueError("expected the stars of the rating, got none; send a watch where there are none")
    if type_ == "hide" and value not in (None, 0, 1):
        raise ValueError(f"expected 1 (or nothing) to hide the movie, or 0 to show it again, got {value:g}")
    if type_ not in (None, "rating", "hide") and value is not None:
        raise ValueError(f"expected no value of a {type_}, got {value:g}; only a rating has stars")
    return value


class FeedbackEvent(Element):
    """What a user did with a movie."""

    user_id: UserId
    movie_id: Annotated[MovieId, Field(description="A movie's id, also one that is not known yet.")]
    type: EventType = Field(
        description="`rating`: stars. `watch`: seen, without stars. `hide`: keep it out of the lists. "
        "`click`, `impression`: counted. `removed`: what DELETE leaves, for imports: whatever is older does "
        "not count.",
        examples=["rating"],
    )
    value: Annotated[
        float | None,
        Field(ge=-LARGEST_RATING, le=LARGEST_RATING, allow_inf_nan=False),
        AfterValidator(_check_value),
    ] = Field(
        default=None,
        validate_default=True,
        description="Stars of a rating, on the live bundle's scale; 0 of a `hide` shows the movie again; "
        "else null.",
        examples=[5],
    )
    timestamp: Annotated[
        Annotated[int, Field(ge=0, le=LARGEST_INTEGER), WRITTEN_WITH_A_POINT] | None,
        AfterValidator(check_timestamp),
    ] = Field(
        default=None,
        description=f"Unix seconds, at most {FUTURE_SECONDS} ahead; null for now. Of one user, movie and "
        "type the latest counts.",
        examples=[1764115200],
    )
    event_id: Text | None = Field(
        default=None,
        min_length=1,
        description="A name of your own for the event, such as a UUID: for 30 days it counts once, however "
        "often it is sent.",
        examples=["5f0c7d62-40a7-4a9a-8f0b-6d4f8f3d9a11"],
    )
    recommendation_id: Text | None = Field(
        default=None,
        description="Of the answer that showed the movie.",
        examples=["6925b1c0.personalized.20261121T062118Z-df4c644d.5d1f0c9be2a7d3f016"],
    )
    rank: Annotated[int, Field(ge=1, le=LARGEST_INTEGER), WRITTEN_WITH_A_POINT] | None = Field(
        default=None, description="Of the movie in that answer.", examples=[1]
    )

    def to_event(self) -> Event:
        """Convert to an event of `service.live`."""
        return Event(
            self.user_id,
            self.movie_id,
            self.type,
            self.value,
            self.timestamp,
            self.event_id,
            self.recommendation_id,
            self.rank,
        )


class ImportedEvent(FeedbackEvent):
    """An event of an import: as posted, or as exported."""

    position: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_INTEGER,
        description="Of the store it comes from; ignored.",
        examples=[8841],
    )


IMPORTED_NAMES = tuple(ImportedEvent.model_fields)
IMPORTED_REQUIRED = ("user_id", "movie_id", "type")
# What `Alone` gives in the place of a wrong one, types do not say.
_LINES: TypeAdapter[list[Any]] = TypeAdapter(list[Annotated[ImportedEvent, Alone]])
_NO_LINE = {"type": "value_error", "loc": (), "msg": "expected one JSON object a line, got something else"}


def parse_records(
    records: Sequence[bytes] | Sequence[dict[str, str]],
) -> list[ImportedEvent | Refused]:
    """The events of an import's records, a wrong one alone refused.

    Args:
        records: Lines of NDJSON, or rows of CSV, whose values are text.
    """
    lines = [record for record in records if isinstance(record, bytes)]
    if len(lines) < len(records):
        return [_parse_row(record) for record in records if not isinstance(record, bytes)]
    with suppress(ValidationError):
        parsed = _LINES.validate_json(b"[" + b",".join(lines) + b"]")
        if len(parsed) == len(lines):
            return parsed
    if len(lines) == 1:
        return [Refused([_NO_LINE])]
    # A line that is no JSON spoils all of them: halve until it is alone.
    half = len(lines) // 2
    return [*parse_records(lines[:half]), *parse_records(lines[half:])]


def _parse_row(row: dict[str, str]) -> ImportedEvent | Refused:
    try:
        return ImportedEvent.model_validate(row, strict=False)
    except ValidationError as error:
        return Refused(error.errors())


class ImportParameters(Parameters):
    """Query parameters of `POST /feedback/import`."""

    import_id: Text | None = Field(
        default=None,
        min_length=1,
        description="A name of your own for the import: sent again under it, the same stream goes on after "
        "the records that are stored.",
        examples=["ratings-2026-11"],
    )


class RejectedRecord(BaseModel):
    """A record that was not stored."""

    record: int = Field(ge=0, description="Its place in the stream, from 0.", examples=[2])
    error: Problem


class ImportAnswer(BaseModel):
    """Response of `POST /feedback/import`: everything in it is on the disk."""

    records: int = Field(ge=0, description="Records in the stream.", examples=[100_000])
    skipped: int = Field(
        ge=0, description="Records that were stored before under the same `import_id`.", examples=[0]
    )
    stored: int = Field(ge=0, description="Events that changed something.", examples=[99_998])
    unchanged: int = Field(ge=0, description="Events that were stored before.", examples=[0])
    superseded: int = Field(
        ge=0, description="Events older than what is stored of their user, movie and type.", examples=[1]
    )
    num_rejected: int = Field(ge=0, description="Records that were refused.", examples=[1])
    rejected: list[RejectedRecord] = Field(
        max_length=MOST_REJECTED, description=f"The first {MOST_REJECTED} of them."
    )
    position: int = Field(ge=0, description="Of the store afterwards.", examples=[108_839])


class ExportParameters(Parameters):
    """Query parameters of `GET /feedback`."""

    cursor: int = Field(
        default=0,
        ge=0,
        le=LARGEST_INTEGER,
        description="Position after which to begin: the last one that came before; 0 for all.",
        examples=[8841],
    )
    limit: int = Field(
        default=100_000, ge=1, le=1_000_000, description="Most events; where so many come, there may be more."
    )


class ForgottenAnswer(BaseModel):
    """Response of `DELETE /users/{user_id}`."""

    user_id: str = Field(description="The requested user.", examples=["42"])
    position: int = Field(ge=1, description="Of the store when the user was forgotten.", examples=[8843])
    bundle_trained_without: bool = Field(
        description="Whether the live bundle was trained without the user; until then the user is masked.",
        examples=[False],
    )


class FeedbackBody(Body):
    """Body of `POST /feedback`."""

    events: list[Annotated[FeedbackEvent, Alone]] = Field(
        min_length=1,
        max_length=MOST_EVENTS,
        description="In the order in which they happened. A wrong one is refused alone.",
    )
    strict: bool = Field(
        default=False,
        description="Refuse events on movies that the bundle does not know (404) instead of storing them.",
        examples=[False],
    )


class RejectedEvent(BaseModel):
    """An event that was not stored."""

    index: int = Field(ge=0, description="Its place among the events, from 0.", examples=[2])
    error: Problem


class FeedbackAnswer(BaseModel):
    """Response of `POST /feedback`: everything in it is on the disk."""

    stored: int = Field(ge=0, description="Events that changed something.", examples=[1])
    unchanged: int = Field(ge=0, description="Events that were stored before.", examples=[0])
    superseded: int = Field(
        ge=0, description="Events older than what is stored of their user, movie and type.", examples=[0]
    )
    unknown_movies: list[str] = Field(
        description="Movies that the bundle does not know, each once: their events take effect when it does.",
        examples=[["added-since-training"]],
    )
    rejected: list[RejectedEvent] = Field(description="Events that were refused.")
    position: int = Field(
        ge=0, description="Of the store after them; rises with every change.", examples=[8841]
    )


class UserFeedbackParameters(Parameters):
    """Query parameters of `GET /users/{user_id}/feedback`."""

    limit: Limit = 20
    offset: Offset = 0


class KeptEvent(BaseModel):
    """The latest event of a movie and type."""

    movie_id: str = Field(description="The movie's id.", examples=["50"])
    type: Literal["rating", "watch", "hide", "removed"] = Field(description="What it was.")
    value: float | None = Field(description="Stars of a rating, else null.", examples=[5])
    timestamp: int = Field(description="Unix seconds.", examples=[1764115200])
    position: int = Field(ge=1, description="Of the store when it was stored.", examples=[8841])


class UserFeedbackAnswer(BaseModel):
    """Response of `GET /users/{user_id}/feedback`."""

    user_id: str = Field(description="The requested user.", examples=["42"])
    version: int = Field(
        ge=0,
        description="Position of the user's last change; 0 for a user of whom nothing is stored.",
        examples=[8841],
    )
    total: int = Field(ge=0, description="Number of items on all pages.", examples=[1])
    clicks: int = Field(ge=0, description="Clicks that were counted.", examples=[3])
    impressions: int = Field(ge=0, description="Impressions that were counted.", examples=[20])
    items: list[KeptEvent] = Field(description="Newest first.")


class RemovedAnswer(BaseModel):
    """Response of `DELETE /users/{user_id}/feedback/{movie_id}`."""

    user_id: str = Field(description="The requested user.", examples=["42"])
    movie_id: str = Field(description="The requested movie.", examples=["50"])
    position: int = Field(ge=0, description="Of the store afterwards.", examples=[8842])
