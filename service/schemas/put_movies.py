"""Schemas of `PUT` and `DELETE /movies/{movie_id}` and `POST /movies`."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.http.problem_details import Problem
from service.live.posted_movies import NO_YEAR, MoviePut
from service.schemas.batches import alone
from service.schemas.fields import WRITTEN_WITH_A_POINT, Body, Text
from service.schemas.ids import MovieId

MOST_MOVIES = 1_000
MOST_GENRES = 50

Title = Annotated[Text, Field(pattern=r"\S")]
Genre = Annotated[Text, Field(min_length=1, max_length=200)]
Year = Annotated[int, Field(ge=1, le=9999), WRITTEN_WITH_A_POINT]


class MovieBody(Body):
    """Body of `PUT /movies/{movie_id}`: what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "minProperties": 1,
            "examples": [{"title": "A New Movie (2026)", "genres": ["Drama"], "available": True}],
        }
    )

    title: Title = Field(
        default="",
        description="The title; a movie that the bundle does not know is one only with it.",
        examples=["Star Wars: The Last Jedi (2017)"],
    )
    genres: list[Genre] = Field(
        default=[],
        max_length=MOST_GENRES,
        description="All of its genres; those of the catalogue are compared without case.",
        examples=[["Action", "Sci-Fi"]],
    )
    year: Year | None = Field(
        default=None,
        description="Year of release, null if unknown. Left out for a new movie: the year at the end of its "
        "title.",
        examples=[2017],
    )
    available: bool = Field(
        default=True,
        description="False: withhold the movie from all users; true: show it again.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        if not self.model_fields_set & _GIVEN:
            raise ValueError("expected at least one of title, genres, year and available, got none")
        return self

    def to_put(self, movie_id: str) -> MoviePut:
        """What is given of a movie."""
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set & _GIVEN}
        if "genres" in given:
            given["genres"] = tuple(given["genres"])
        if given.get("year", NO_YEAR) is None:
            given["year"] = NO_YEAR
        return MoviePut(movie_id, **given)


_GIVEN = {"title", "genres", "year", "available"}


class NamedMovieBody(MovieBody):
    """One of `POST /movies`."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 2})

    movie_id: MovieId


class MoviesBody(Body):
    """Body of `POST /movies`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"movies": [{"movie_id": "a-new-movie", "title": "A New Movie (2026)", "genres": ["Drama"]}]}
            ]
        }
    )

    movies: list[Annotated[NamedMovieBody, alone(NamedMovieBody)]] = Field(
        min_length=1,
        max_length=MOST_MOVIES,
        description="Each as `PUT /movies/{movie_id}` takes it, one after another. A wrong one is refused "
        "alone.",
    )


class PutMovieAnswer(BaseModel):
    """Response of `PUT` and `DELETE /movies/{movie_id}`: it is on the disk."""

    movie_id: str = Field(description="The requested movie.", examples=["2017-last-jedi"])
    title: str | None = Field(
        description="Its title now; null of a movie that is only noted.",
        examples=["Star Wars: The Last Jedi (2017)"],
    )
    display_title: str | None = Field(
        description="That as people say it: articles in front, and without the year that `year` has.",
        examples=["Star Wars: The Last Jedi"],
    )
    genres: list[str] = Field(description="Its genres now.", examples=[["Action", "Sci-Fi"]])
    year: int | None = Field(description="Its year now.", examples=[2017])
    available: bool = Field(description="Whether it may be shown.", examples=[True])
    known: bool = Field(description="Whether the live bundle was trained with it.", examples=[False])
    recommendable: bool = Field(
        description="Whether the next request can recommend it: it is available, and known or placed by its "
        "title, genres and year.",
        examples=[True],
    )
    position: int = Field(ge=0, description="Of the store afterwards.", examples=[8844])


class RejectedMovie(BaseModel):
    """A movie that was not stored."""

    index: int = Field(ge=0, description="Its place among the movies, from 0.", examples=[2])
    error: Problem


class PutMoviesAnswer(BaseModel):
    """Response of `POST /movies`: everything in it is on the disk."""

    stored: int = Field(ge=0, description="Movies that changed something.", examples=[2])
    unchanged: int = Field(ge=0, description="Movies that were stored before.", examples=[0])
    rejected: list[RejectedMovie] = Field(description="Movies that were refused.")
    position: int = Field(ge=0, description="Of the store afterwards.", examples=[8846])
