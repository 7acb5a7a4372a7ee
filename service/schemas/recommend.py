"""`/recommend`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from service.queries import Source
from service.schemas.fields import Parameters, Timestamp, UserId
from service.schemas.person import PersonBody

Count = Annotated[int, Field(ge=1, le=500, description="Most items wanted.")]
ExcludeSeen = Annotated[bool, Field(description="Leave out every movie of the stored and the sent history.")]


class RecommendBody(PersonBody):
    """`POST /recommend`."""

    k: Count = 10
    exclude_seen: ExcludeSeen = True


class RecommendParameters(Parameters):
    """`GET /recommend`."""

    user_id: UserId
    k: Count = 10
    timestamp: Timestamp | None = None
    exclude_seen: ExcludeSeen = True


class Item(BaseModel):
    """A recommended movie."""

    movie_id: str
    title: str
    genres: list[str]
    year: int | None
    score: float = Field(
        description="Similarity, never rising down the list; where popular, the share of users who rated it."
    )
    predicted_rating: float = Field(description="Stars that this person would give, within the scale.")


class RecommendAnswer(BaseModel):
    """The answer of `/recommend`."""

    user_id: str | None
    bundle_id: str
    source: Source = Field(
        description="`personalized` for a known user, `history` for a stranger who sent one, else `popular`."
    )
    items: list[Item] = Field(description="Best first; fewer than k only where no candidates are left.")
