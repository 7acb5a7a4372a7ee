"""Schemas of `/users/{user_id}/feedback` and `DELETE /users/{user_id}`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, Field

from service.schemas.fields import FormerLimit, K, Offset, Parameters


class UserFeedbackParameters(Parameters):
    """Query parameters of `GET /users/{user_id}/feedback`."""

    k: K = 20
    limit: FormerLimit = None
    offset: Offset = 0
    FORMER_NAMES = MappingProxyType({"limit": "k"})


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


class ForgottenAnswer(BaseModel):
    """Response of `DELETE /users/{user_id}`."""

    user_id: str = Field(description="The requested user.", examples=["42"])
    position: int = Field(ge=1, description="Of the store when the user was forgotten.", examples=[8843])
    bundle_trained_without: bool = Field(
        description="Whether the live bundle was trained without the user; until then the user is masked.",
        examples=[False],
    )
