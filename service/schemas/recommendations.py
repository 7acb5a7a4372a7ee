"""What `/recommend` answers."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.recommending.queries import MOST_NAMED
from service.schemas.fields import BundleId
from service.telemetry.observer import Source


class Reason(BaseModel):
    """A movie of the person's history that an item rests on."""

    movie_id: str = Field(description="The movie's id.", examples=["172"])
    title: str = Field(description="Its title.", examples=["Empire Strikes Back, The (1980)"])
    contribution: float = Field(
        gt=0,
        description="What the item's score would lose without this movie in the history.",
        examples=[0.41],
    )


class Item(BaseModel):
    """A recommended movie."""

    rank: int = Field(ge=1, description="Place in the whole list, from 1; offset counted.", examples=[1])
    movie_id: str = Field(description="The movie's id.", examples=["174"])
    title: str = Field(description="Its title.", examples=["Raiders of the Lost Ark (1981)"])
    genres: list[str] = Field(description="Possibly none.", examples=[["Action", "Adventure"]])
    year: int | None = Field(description="Of release; null where not known.", examples=[1981])
    score: float = Field(
        description="Similarity; where popular, the share of the bundle's users who rated it.",
        examples=[3.32],
    )
    rank_score: float = Field(
        description="What orders the list, never rising: `score` unless `rank_by` or `diversity` is given.",
        examples=[3.32],
    )
    predicted_rating: float = Field(
        description="Stars that this person would give, within the bundle's scale.", examples=[4.46]
    )
    source: Source = Field(
        description="What this item rests on: `personalized` for a known user, `history` for a stranger who "
        "sent one, `popular` where nothing is known of them.",
        examples=["personalized"],
    )
    because: list[Reason] | None = Field(
        default=None,
        max_length=MOST_NAMED,
        description="With `explain` only: the movies of the history that contributed most, if any did.",
    )


class RecommendAnswer(BaseModel):
    """The answer of `/recommend`."""

    user_id: str | None = Field(description="As asked.", examples=["42"])
    bundle_id: BundleId
    source: Source = Field(description="That of every item.", examples=["personalized"])
    items: list[Item] = Field(
        description="Best first: exactly k, unless fewer are left that pass the filter and are not excluded."
    )
