"""Response schemas of `/recommend`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.recommending.queries import MOST_NAMED
from service.schemas.fields import BundleId, DisplayTitle, Ignored, Live
from service.telemetry.observer import Source


class Reason(BaseModel):
    """A movie of the history that contributes to an item's score."""

    movie_id: str = Field(description="The movie's id.", examples=["172"])
    title: str = Field(description="Its title.", examples=["Empire Strikes Back, The (1980)"])
    display_title: DisplayTitle
    rating: float | None = Field(description="The user's stars, null if not rated.", examples=[5])
    contribution: float = Field(
        gt=0,
        description="What the item's sort key, before `diversity`, loses without this movie in the history.",
        examples=[0.41],
    )


class Item(BaseModel):
    """A recommended movie."""

    rank: int = Field(ge=1, description="Position in the whole list, from 1, offset included.", examples=[1])
    movie_id: str = Field(description="The movie's id.", examples=["174"])
    title: str = Field(description="Its title.", examples=["Raiders of the Lost Ark (1981)"])
    display_title: DisplayTitle
    genres: list[str] = Field(description="Genres, possibly none.", examples=[["Action", "Adventure"]])
    year: int | None = Field(description="Year of release, null if unknown.", examples=[1981])
    score: float = Field(
        description="Similarity to the user; for source `popular`, to a user of whom nothing is known.",
        examples=[3.32],
    )
    rank_score: float = Field(
        description="Sort key, non-increasing: `score` unless `rank_by` or `diversity` is given; of an "
        "explored item that of the one before.",
        examples=[3.32],
    )
    predicted_rating: float | None = Field(
        description="Predicted rating in stars, within the bundle's rating scale; null if the bundle was "
        "trained on watches without ratings.",
        examples=[4.46],
    )
    source: Source = Field(
        description="Basis of the item: `personalized` for a known user, `history` for a cold-start user "
        "with a history, `popular` for one without.",
        examples=["personalized"],
    )
    because: list[Reason] | None = Field(
        default=None,
        max_length=MOST_NAMED,
        description="Only with `explain`: the movies of the history that contribute most, possibly none; not "
        "those that the user rated below the middle of the scale.",
    )
    although: list[Reason] = Field(
        default=[],
        max_length=MOST_NAMED,
        description="Only with `explain`: movies that contribute although the user rated them below the "
        "middle of the scale; left out if there are none.",
    )
    explored: bool = Field(
        default=False,
        description="True for a movie with few ratings that has its place by `explore`; else left out.",
    )


class RecommendAnswer(BaseModel):
    """Response of `/recommend`."""

    user_id: str | None = Field(description="The request's `user_id`.", examples=["42"])
    bundle_id: BundleId
    source: Source = Field(description="Basis of every item.", examples=["personalized"])
    recommendation_id: str | None = Field(
        default=None,
        description="To be sent with feedback on the items, so that it counts for this bundle and source; "
        "left out without a store of feedback.",
        examples=["6925b1c0.personalized.20261121T062118Z-df4c644d.5d1f0c9be2a7d3f016"],
    )
    items: list[Item] = Field(
        description="Best first: k items, or fewer if fewer pass the filter and are not excluded."
    )
    ignored: Ignored = []
    live: Live = True
