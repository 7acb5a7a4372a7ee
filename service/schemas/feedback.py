"""Schemas of `POST /feedback`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from service.http.problem_details import Problem
from service.schemas.batches import alone
from service.schemas.feedback_event import FeedbackEvent
from service.schemas.fields import Body

MOST_EVENTS = 1_000


class FeedbackBody(Body):
    """Body of `POST /feedback`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"events": [{"user_id": "ana", "movie_id": "50", "type": "rating", "value": 5}]}]
        }
    )

    events: list[Annotated[FeedbackEvent, alone(FeedbackEvent)]] = Field(
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
