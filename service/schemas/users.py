"""Schemas of `/users`."""

from __future__ import annotations

from types import MappingProxyType

from pydantic import BaseModel, Field

from service.schemas.fields import BundleId, DisplayTitle, FormerLimit, K, Live, Offset, Parameters, Text


class UsersParameters(Parameters):
    """Query parameters of `GET /users`."""

    query: Text = Field(default="", description="Prefix of the user id; blank for all users.", examples=["4"])
    k: K = 20
    limit: FormerLimit = None
    offset: Offset = 0
    FORMER_NAMES = MappingProxyType({"limit": "k"})


class UserCount(BaseModel):
    """A user with the size and mean of the history."""

    user_id: str = Field(description="The user's id.", examples=["42"])
    num_movies: int = Field(ge=0, description="Number of movies in the history.", examples=[183])
    mean_rating: float | None = Field(
        description="Mean of the user's ratings in stars, null without ratings.", examples=[3.98]
    )


class UsersAnswer(BaseModel):
    """Response of `/users`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="Number of matches on all pages.", examples=[943])
    items: list[UserCount] = Field(description="In ascending order of the ids' UTF-8 bytes.")


class UserParameters(Parameters):
    """Query parameters of `GET /users/{user_id}`."""

    k: K = 20
    limit: FormerLimit = None
    offset: Offset = 0
    FORMER_NAMES = MappingProxyType({"limit": "k"})


class SeenMovie(BaseModel):
    """A movie of a user's history."""

    movie_id: str = Field(description="The movie's id.", examples=["50"])
    title: str = Field(description="The movie's title in the catalogue.", examples=["Star Wars (1977)"])
    display_title: DisplayTitle
    genres: list[str] = Field(description="Genres, possibly none.", examples=[["Action", "Sci-Fi"]])
    year: int | None = Field(description="Year of release, null if unknown.", examples=[1977])
    rating: float | None = Field(description="The user's rating in stars, null if not rated.", examples=[5])
    timestamp: int | None = Field(description="Unix seconds, null if unknown.", examples=[881107178])


class UserAnswer(BaseModel):
    """Response of `/users/{user_id}`."""

    bundle_id: BundleId
    user_id: str = Field(description="The requested user.", examples=["42"])
    num_movies: int = Field(ge=0, description="Number of movies in the whole history.", examples=[183])
    num_ratings: int = Field(ge=0, description="Number of those that have a rating.", examples=[183])
    mean_rating: float | None = Field(
        description="Mean of the user's ratings in stars, null without ratings.", examples=[3.98]
    )
    items: list[SeenMovie] = Field(description="The history, newest first.")
    live: Live = True
