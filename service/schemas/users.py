"""`/users`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.schemas.fields import BundleId, Limit, Offset, Parameters, Text


class UsersParameters(Parameters):
    """`GET /users`."""

    query: Text = Field(
        default="", description="What an id begins with; blank for all users.", examples=["4"]
    )
    limit: Limit = 20
    offset: Offset = 0


class UserCount(BaseModel):
    """A user, in short."""

    user_id: str = Field(description="The user's id.", examples=["42"])
    num_movies: int = Field(ge=0, description="Length of the history.", examples=[183])
    mean_rating: float | None = Field(
        description="Mean of this user's stars, null where there are none.", examples=[3.98]
    )


class UsersAnswer(BaseModel):
    """The answer of `/users`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="How many users fit, on all pages.", examples=[943])
    items: list[UserCount] = Field(description="By their ids' bytes in UTF-8, rising.")


class UserParameters(Parameters):
    """`GET /users/{user_id}`."""

    limit: Limit = 20
    offset: Offset = 0


class SeenMovie(BaseModel):
    """A movie of a user's history."""

    movie_id: str = Field(description="The movie's id.", examples=["50"])
    title: str = Field(description="As the catalogue spells it.", examples=["Star Wars (1977)"])
    genres: list[str] = Field(description="Possibly none.", examples=[["Action", "Sci-Fi"]])
    year: int | None = Field(description="Year of release, null where not known.", examples=[1977])
    rating: float | None = Field(description="The stars this user gave, null where none.", examples=[5])
    timestamp: int | None = Field(description="Unix seconds, null where not known.", examples=[881107178])


class UserAnswer(BaseModel):
    """The answer of `/users/{user_id}`."""

    bundle_id: BundleId
    user_id: str = Field(description="The user that was asked for.", examples=["42"])
    num_movies: int = Field(ge=0, description="Length of the whole history.", examples=[183])
    num_ratings: int = Field(ge=0, description="Movies of it that have stars.", examples=[183])
    mean_rating: float | None = Field(
        description="Mean of this user's stars, null where there are none.", examples=[3.98]
    )
    items: list[SeenMovie] = Field(description="The history, newest first.")
