"""Answers of the service, as pydantic models; docs/api of Matinee describes each field.

They accept what a newer service adds: unknown fields are ignored, and values that name a kind, such as
`source`, are text. A field that the service leaves out has its default here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class FieldError(BaseModel):
    """The error of one field of a request."""

    field: str
    message: str


class SuggestedMovie(BaseModel):
    """A movie whose title is close to an unknown one."""

    movie_id: str
    title: str
    display_title: str = ""


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
    suggestions: list[SuggestedMovie] = []


class ElementError(BaseModel):
    """Error in place of an answer, for an invalid element of a batch."""

    error: Problem


class Reason(BaseModel):
    """A movie of the history that contributes to an item's score."""

    movie_id: str
    title: str
    display_title: str = ""
    rating: float | None = None
    contribution: float


class Item(BaseModel):
    """A recommended movie."""

    rank: int
    movie_id: str
    title: str
    display_title: str = ""
    genres: list[str]
    year: int | None
    score: float
    rank_score: float
    predicted_rating: float | None
    source: str
    because: list[Reason] | None = None
    although: list[Reason] = []
    explored: bool = False


class RecommendAnswer(BaseModel):
    """Recommended movies, best first."""

    user_id: str | None
    bundle_id: str
    source: str
    recommendation_id: str | None = None
    items: list[Item]
    ignored: list[str] = []
    live: bool = True


class RecommendBatchAnswer(BaseModel):
    """An answer or an error for each request, in order."""

    items: list[RecommendAnswer | ElementError] = []
    answers: list[RecommendAnswer | ElementError] = []


class RatingAnswer(BaseModel):
    """A predicted rating in stars."""

    user_id: str | None
    movie_id: str
    title: str
    display_title: str = ""
    predicted_rating: float
    known_user: bool
    bundle_id: str
    ignored: list[str] = []
    live: bool = True


class RatingBatchAnswer(BaseModel):
    """A prediction or an error for each pair, in order."""

    items: list[RatingAnswer | ElementError] = []
    predictions: list[RatingAnswer | ElementError] = []


class Movie(BaseModel):
    """A movie of the catalogue."""

    movie_id: str
    title: str
    display_title: str = ""
    genres: list[str]
    year: int | None
    num_ratings: int
    mean_rating: float | None


class MovieAnswer(Movie):
    """One movie."""

    bundle_id: str
    available: bool


class MoviesAnswer(BaseModel):
    """A page of found movies, best match first."""

    bundle_id: str
    total: int
    items: list[Movie]


class ScoredMovie(Movie):
    """A movie with the score that orders the list."""

    score: float


class PopularAnswer(BaseModel):
    """A page of movies, most rated first."""

    bundle_id: str
    total: int
    items: list[ScoredMovie]


class SimilarAnswer(BaseModel):
    """Movies most similar to one, which is not among them."""

    bundle_id: str
    movie_id: str
    items: list[ScoredMovie]


class GenreCount(BaseModel):
    """A genre with its number of movies."""

    genre: str
    num_movies: int


class YearRange(BaseModel):
    """Years of release, from the oldest to the newest movie."""

    first: int
    last: int


class GenresAnswer(BaseModel):
    """All genres, most movies first."""

    bundle_id: str
    years: YearRange | None = None
    items: list[GenreCount]


class PutMovieAnswer(BaseModel):
    """A movie as it is after it was put or withdrawn."""

    movie_id: str
    title: str | None
    display_title: str | None = None
    genres: list[str]
    year: int | None
    available: bool
    known: bool
    recommendable: bool
    position: int


class RejectedMovie(BaseModel):
    """A movie that was not stored; `index` is its place among those sent, from 0."""

    index: int
    error: Problem


class PutMoviesAnswer(BaseModel):
    """What became of many movies."""

    stored: int
    unchanged: int
    rejected: list[RejectedMovie]
    position: int


class UserCount(BaseModel):
    """A user with the size and mean of the history."""

    user_id: str
    num_movies: int
    mean_rating: float | None


class UsersAnswer(BaseModel):
    """A page of users by their ids."""

    bundle_id: str
    total: int
    items: list[UserCount]


class SeenMovie(BaseModel):
    """A movie of a user's history."""

    movie_id: str
    title: str
    display_title: str = ""
    genres: list[str]
    year: int | None
    rating: float | None
    timestamp: int | None


class UserAnswer(BaseModel):
    """A page of a user's history, newest first."""

    bundle_id: str
    user_id: str
    num_movies: int
    num_ratings: int
    mean_rating: float | None
    items: list[SeenMovie]
    live: bool = True


class RejectedEvent(BaseModel):
    """An event that was not stored; `index` is its place among those sent, from 0."""

    index: int
    error: Problem


class FeedbackAnswer(BaseModel):
    """What became of posted events; all of it is on the service's disk."""

    stored: int
    unchanged: int
    superseded: int
    unknown_movies: list[str]
    rejected: list[RejectedEvent]
    position: int


class RejectedRecord(BaseModel):
    """A record of an import that was not stored; `record` is its place in the stream, from 0."""

    record: int
    error: Problem


class ImportAnswer(BaseModel):
    """What became of an import."""

    records: int
    skipped: int
    stored: int
    unchanged: int
    superseded: int
    num_rejected: int
    rejected: list[RejectedRecord]
    position: int


class KeptEvent(BaseModel):
    """The latest event of a movie and type."""

    movie_id: str
    type: str
    value: float | None
    timestamp: int
    position: int


class UserFeedbackAnswer(BaseModel):
    """A page of what is stored of a user, newest first."""

    user_id: str
    version: int
    total: int
    clicks: int
    impressions: int
    items: list[KeptEvent]


class RemovedAnswer(BaseModel):
    """A movie was taken out of a user's history."""

    user_id: str
    movie_id: str
    position: int


class ForgottenAnswer(BaseModel):
    """A user was forgotten."""

    user_id: str
    position: int
    bundle_trained_without: bool


class RefusedBundle(BaseModel):
    """A bundle that CURRENT names and that cannot be served."""

    bundle_id: str | None
    error: str
    detail: str
    since: datetime


class BundleNow(BaseModel):
    """The bundle that is served after a reload or rollback."""

    bundle_id: str | None
    refused: RefusedBundle | None


class ModelAnswer(BaseModel):
    """The live bundle's manifest and metrics."""

    bundle_id: str
    metrics: dict[str, Any] | str
    refused: RefusedBundle | None
    feedback: str = "off"
    manifest: dict[str, Any]


class Alive(BaseModel):
    """The process is alive."""

    status: str = "alive"


class Ready(BaseModel):
    """A bundle is served."""

    status: str = "ready"
    bundle_id: str
