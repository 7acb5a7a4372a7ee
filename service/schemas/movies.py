"""Schemas of `/movies`, `/popular` and `/genres`."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, Field

from service.schemas.fields import (
    DEPRECATED,
    BundleId,
    DisplayTitle,
    FormerLimit,
    GenresAny,
    K,
    Offset,
    Parameters,
    Text,
)

FormerGenre = Annotated[
    Text | None,
    Field(
        description="Former name of `genres_any`, of one genre.",
        examples=["Sci-Fi"],
        max_length=200,
        json_schema_extra=DEPRECATED,
    ),
]


class MovieParameters(Parameters):
    """Query parameters of `GET /movies`."""

    query: Text = Field(
        default="",
        max_length=200,
        description="A title or a part of it, also misspelt; blank for all movies by popularity.",
        examples=["star wras"],
    )
    genres_any: GenresAny = Field(default=[])
    genre: FormerGenre = None
    k: K = 20
    limit: FormerLimit = None
    offset: Offset = 0
    FORMER_NAMES = MappingProxyType({"genre": "genres_any", "limit": "k"})


class PopularParameters(Parameters):
    """Query parameters of `GET /popular`."""

    k: K = 10
    genres_any: GenresAny = Field(default=[])
    genre: FormerGenre = None
    offset: Offset = 0
    FORMER_NAMES = MappingProxyType({"genre": "genres_any"})


class SimilarParameters(Parameters):
    """Query parameters of `GET /movies/{movie_id}/similar`."""

    k: K = 10


class Movie(BaseModel):
    """A movie of the catalogue."""

    movie_id: str = Field(description="The movie's id.", examples=["50"])
    title: str = Field(description="The movie's title in the catalogue.", examples=["Star Wars (1977)"])
    display_title: DisplayTitle
    genres: list[str] = Field(description="Genres, possibly none.", examples=[["Action", "Sci-Fi"]])
    year: int | None = Field(description="Year of release, null if unknown.", examples=[1977])
    num_ratings: int = Field(ge=0, description="Number of ratings.", examples=[583])
    mean_rating: float | None = Field(
        description="Mean rating in stars, null without ratings.", examples=[4.358]
    )


class GenreCount(BaseModel):
    """A genre with its number of movies."""

    genre: str = Field(description="The genre's name, as filters use it.", examples=["Drama"])
    num_movies: int = Field(ge=1, description="Number of movies of this genre.", examples=[725])


class YearRange(BaseModel):
    """Years of release."""

    first: int = Field(description="That of the oldest movie.", examples=[1922])
    last: int = Field(description="That of the newest movie.", examples=[1998])


class GenresAnswer(BaseModel):
    """Response of `/genres`."""

    bundle_id: BundleId
    years: YearRange | None = Field(description="From when the movies are, null if no year is known.")
    items: list[GenreCount] = Field(description="Most movies first.")


class MovieAnswer(Movie):
    """Response of `/movies/{movie_id}`."""

    bundle_id: BundleId
    available: bool = Field(
        description="False for a movie that is shown to no user, see `PUT /movies/{movie_id}`.",
        examples=[True],
    )


class MoviesAnswer(BaseModel):
    """Response of `/movies`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="Number of matches on all pages.", examples=[2])
    items: list[Movie] = Field(description="Best match first.")


class ScoredMovie(Movie):
    """A movie with the score that orders the list."""

    score: float = Field(
        description="Non-increasing. `/popular`: the share of users who rated the movie. `similar`: the "
        "cosine between the two movies' centred embeddings.",
        examples=[0.94],
    )


class PopularAnswer(BaseModel):
    """Response of `/popular`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="Number of movies on all pages.", examples=[1682])
    items: list[ScoredMovie] = Field(description="Most rated first.")


class SimilarAnswer(BaseModel):
    """Response of `/movies/{movie_id}/similar`."""

    bundle_id: BundleId
    movie_id: str = Field(description="The requested movie.", examples=["50"])
    items: list[ScoredMovie] = Field(description="Most similar first, without the movie itself.")
