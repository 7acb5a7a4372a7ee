"""Schema of an event: what a user did with a movie."""

from __future__ import annotations

import time
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from service.live.events import Event, EventType
from service.schemas.fields import (
    LARGEST_INTEGER,
    WRITTEN_WITH_A_POINT,
    Element,
    Text,
)
from service.schemas.ids import MovieId, UserId
from service.schemas.query_user import LARGEST_RATING
from service.schemas.timestamps import LATEST_SECONDS, refuse_milliseconds

FUTURE_SECONDS = 300
"""How far ahead a client's clock may be."""


def check_timestamp(timestamp: int | None) -> int | None:
    """A time that may be: not ahead, and in seconds.

    Raises:
        ValueError: It is not.
    """
    if timestamp is None:
        return None
    refuse_milliseconds(timestamp)
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
        Annotated[int, Field(ge=0, json_schema_extra={"maximum": LATEST_SECONDS}), WRITTEN_WITH_A_POINT]
        | None,
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
