"""`/movies`, `/popular`, `/genres`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from service.schemas.fields import BundleId, Limit, Offset, Parameters, Text

Genre = Annotated[
    Text | None,
    Field(
        description="A genre that the movies must have, its case aside; of one that no movie has, none.",
        examples=["Sci-Fi"],
        max_length=200,
    ),
]


class MovieParameters(Parameters):
    """`GET /movies`."""

    query: Text = Field(
        default="",
        max_length=200,
        description="What somebody types of a title, finished or not; blank for all movies by popularity.",
        examples=["star wras"],
    )
    genre: Genre = None
    limit: Limit = 20
    offset: Offset = 0


class PopularParameters(Parameters):
    """`GET /popular`."""

    k: Annotated[int, Field(ge=1, le=500, description="Most items wanted.")] = 10
    genre: Genre = None
    offset: Offset = 0


class SimilarParameters(Parameters):
    """`GET /movies/{movie_id}/similar`."""

    k: Annotated[int, Field(ge=1, le=500, description="Most items wanted.")] = 10


class Movie(BaseModel):
    """A movie of the catalogue."""

    movie_id: str = Field(description="The movie's id.", examples=["50"])
    title: str = Field(description="As the catalogue spells it.", examples=["Star Wars (1977)"])
    genres: list[str] = Field(description="Possibly none.", examples=[["Action", "Sci-Fi"]])
    year: int | None = Field(description="Year of release, null where not known.", examples=[1977])
    num_ratings: int = Field(ge=0, description="How many users rated it.", examples=[583])
    mean_rating: float | None = Field(
        description="Mean of their stars, null where nobody rated it.", examples=[4.358]
    )


class GenreCount(BaseModel):
    """A genre."""

    genre: str = Field(description="As filters take it.", examples=["Drama"])
    num_movies: int = Field(ge=1, description="How many movies have it.", examples=[725])


class GenresAnswer(BaseModel):
    """The answer of `/genres`."""

    bundle_id: BundleId
    items: list[GenreCount] = Field(description="Commonest first.")


class MovieAnswer(Movie):
    """The answer of `/movies/{movie_id}`."""

    bundle_id: BundleId


class MoviesAnswer(BaseModel):
    """The answer of `/movies`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="How many movies fit, on all pages.", examples=[2])
    items: list[Movie] = Field(description="Best match first.")


class ScoredMovie(Movie):
    """A movie with what it is ordered by."""

    score: float = Field(
        description="Never rises down the list. Of `/popular`: the share of users who rated the movie. Of "
        "`similar`: the cosine between the two movies, 1 where they lie in one direction.",
        examples=[0.94],
    )


class PopularAnswer(BaseModel):
    """The answer of `/popular`."""

    bundle_id: BundleId
    total: int = Field(ge=0, description="How many movies there are, on all pages.", examples=[1682])
    items: list[ScoredMovie] = Field(description="Most rated first.")


class SimilarAnswer(BaseModel):
    """The answer of `/movies/{movie_id}/similar`."""

    bundle_id: BundleId
    movie_id: str = Field(description="The movie that was asked for.", examples=["50"])
    items: list[ScoredMovie] = Field(description="Most similar first, without the movie itself.")
