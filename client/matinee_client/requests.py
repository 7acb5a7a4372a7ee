"""Requests as typed dictionaries: the keyword arguments of the clients' methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Required, TypedDict


class SeenMovieRequest(TypedDict, total=False):
    """A movie of the history: `movie_id`, and `rating` in stars if there is one."""

    movie_id: str
    rating: float | None


class QueryUserRequest(TypedDict, total=False):
    """The user of a query: `user_id`, `history`, or both."""

    user_id: str | None
    history: Sequence[SeenMovieRequest]
    timestamp: int | None
    strict: bool


class FilterRequest(TypedDict, total=False):
    """Conditions on recommended movies."""

    genres_any: Sequence[str]
    genres_all: Sequence[str]
    genres_none: Sequence[str]
    year_min: int | None
    year_max: int | None
    movie_ids: Sequence[str] | None


class RecommendRequest(QueryUserRequest, total=False):
    """Fields of `POST /recommend`; see docs/api/recommend.md."""

    k: int
    offset: int
    exclude_seen: bool
    exclude: Sequence[str]
    filter: FilterRequest | None
    rank_by: Literal["retrieval", "rating", "blend"]
    diversity: float
    explain: bool
    explore: float | None


class RatingRequest(QueryUserRequest, total=False):
    """Fields of `POST /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    movie_id: str | None
    movie_title: str | None


class FeedbackRequest(TypedDict, total=False):
    """An event of `POST /feedback`; see docs/api/feedback.md."""

    user_id: Required[str]
    movie_id: Required[str]
    type: Required[Literal["rating", "watch", "hide", "click", "impression", "removed"]]
    value: float | None
    timestamp: int | None
    event_id: str | None
    recommendation_id: str | None
    rank: int | None


class MovieRequest(TypedDict, total=False):
    """Fields of `PUT /movies/{movie_id}`: what is left out stays as it is; see docs/api/movies.md."""

    title: str
    genres: Sequence[str]
    year: int | None
    available: bool


class NamedMovieRequest(MovieRequest, total=False):
    """A movie of `POST /movies`."""

    movie_id: Required[str]
