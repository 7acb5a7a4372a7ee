"""What the client asks: each endpoint as a value, the same for the sync and the async client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from service.client.errors import raise_for_problem
from service.schemas.batches import RatingBatchAnswer, RecommendBatchAnswer
from service.schemas.health import Alive, ModelAnswer, Ready
from service.schemas.movies import GenresAnswer, MovieAnswer, MoviesAnswer, PopularAnswer, SimilarAnswer
from service.schemas.ratings import RatingAnswer
from service.schemas.recommendations import RecommendAnswer
from service.schemas.users import UserAnswer, UsersAnswer

T = TypeVar("T", bound=BaseModel)


class SeenMovieRequest(TypedDict, total=False):
    """A movie that the person saw: `movie_id`, and `rating` in stars where there is one."""

    movie_id: str
    rating: float | None


class PersonRequest(TypedDict, total=False):
    """Who asks: `user_id`, `history`, or both."""

    user_id: str | None
    history: Sequence[SeenMovieRequest]
    timestamp: int | None


class FilterRequest(TypedDict, total=False):
    """Which movies may be recommended."""

    genres_any: Sequence[str]
    genres_all: Sequence[str]
    genres_none: Sequence[str]
    year_min: int | None
    year_max: int | None
    movie_ids: Sequence[str] | None


class RecommendRequest(PersonRequest, total=False):
    """The fields of `POST /recommend`; docs/api/recommend.md says what they mean."""

    k: int
    offset: int
    exclude_seen: bool
    exclude: Sequence[str]
    filter: FilterRequest | None
    rank_by: Literal["retrieval", "rating", "blend"]
    diversity: float
    explain: bool


class RatingRequest(PersonRequest, total=False):
    """The fields of `POST /predict_rating`: exactly one of `movie_id` and `movie_title`."""

    movie_id: str | None
    movie_title: str | None


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the type of its answer.

    Attributes:
        method: HTTP method.
        path: Quoted, from the base URL on.
        answer: What the body of a good answer is.
        params: Query parameters; those that are None are left out.
        body: JSON body, if any.
        is_retried: Whether a 503 is worth asking again, and is not the answer itself.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: type[T]
    params: Mapping[str, str | int | None] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    is_retried: bool = True

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request that httpx sends."""
        params = {name: value for name, value in self.params.items() if value is not None}
        return http.build_request(self.method, self.path, params=params, json=self.body)

    def read(self, response: httpx.Response) -> T:
        """The answer.

        Raises:
            AnswerError: The service answered an error.
        """
        raise_for_problem(response)
        return self.answer.model_validate_json(response.content)


def headers(api_key: str | None) -> dict[str, str]:
    """Headers of every request."""
    return {} if api_key is None else {"X-API-Key": api_key}


def recommend(request: RecommendRequest) -> Call[RecommendAnswer]:
    """`POST /recommend`."""
    return Call("POST", "/recommend", RecommendAnswer, body={**request})


def recommend_batch(requests: Sequence[RecommendRequest]) -> Call[RecommendBatchAnswer]:
    """`POST /recommend/batch`."""
    return Call("POST", "/recommend/batch", RecommendBatchAnswer, body={"requests": list(requests)})


def predict_rating(request: RatingRequest) -> Call[RatingAnswer]:
    """`POST /predict_rating`."""
    return Call("POST", "/predict_rating", RatingAnswer, body={**request})


def predict_rating_batch(pairs: Sequence[RatingRequest]) -> Call[RatingBatchAnswer]:
    """`POST /predict_rating/batch`."""
    return Call("POST", "/predict_rating/batch", RatingBatchAnswer, body={"pairs": list(pairs)})


def search_movies(query: str, genre: str | None, limit: int, offset: int) -> Call[MoviesAnswer]:
    """`GET /movies`."""
    params = {"query": query, "genre": genre, "limit": limit, "offset": offset}
    return Call("GET", "/movies", MoviesAnswer, params)


def movie(movie_id: str) -> Call[MovieAnswer]:
    """`GET /movies/{movie_id}`."""
    return Call("GET", f"/movies/{_quoted(movie_id)}", MovieAnswer)


def similar_movies(movie_id: str, k: int) -> Call[SimilarAnswer]:
    """`GET /movies/{movie_id}/similar`."""
    return Call("GET", f"/movies/{_quoted(movie_id)}/similar", SimilarAnswer, {"k": k})


def popular(k: int, genre: str | None, offset: int) -> Call[PopularAnswer]:
    """`GET /popular`."""
    return Call("GET", "/popular", PopularAnswer, {"k": k, "genre": genre, "offset": offset})


def genres() -> Call[GenresAnswer]:
    """`GET /genres`."""
    return Call("GET", "/genres", GenresAnswer)


def users(query: str, limit: int, offset: int) -> Call[UsersAnswer]:
    """`GET /users`."""
    return Call("GET", "/users", UsersAnswer, {"query": query, "limit": limit, "offset": offset})


def user(user_id: str, limit: int, offset: int) -> Call[UserAnswer]:
    """`GET /users/{user_id}`."""
    return Call("GET", f"/users/{_quoted(user_id)}", UserAnswer, {"limit": limit, "offset": offset})


def model() -> Call[ModelAnswer]:
    """`GET /model`."""
    return Call("GET", "/model", ModelAnswer)


def alive() -> Call[Alive]:
    """`GET /healthz`."""
    return Call("GET", "/healthz", Alive, is_retried=False)


def ready() -> Call[Ready]:
    """`GET /readyz`."""
    return Call("GET", "/readyz", Ready, is_retried=False)


def _quoted(id_: str) -> str:
    """An id as one part of a path; "." and ".." would be taken for directories."""
    return quote(id_, safe="").replace(".", "%2E")
