"""Constructors of a `Call` for each endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel

from matinee_client import answers
from matinee_client.call import Call, Parameters
from matinee_client.requests import (
    FeedbackRequest,
    MovieRequest,
    NamedMovieRequest,
    RatingRequest,
    RecommendRequest,
)

Answer = TypeVar("Answer", bound=BaseModel)


def recommend(request: RecommendRequest) -> Call[answers.RecommendAnswer]:
    """`POST /recommend`."""
    return _post("/recommend", answers.RecommendAnswer, {**request})


def recommend_batch(items: Sequence[RecommendRequest]) -> Call[answers.RecommendBatchAnswer]:
    """`POST /recommend/batch`."""
    return _post("/recommend/batch", answers.RecommendBatchAnswer, {"items": list(items)})


def predict_rating(request: RatingRequest) -> Call[answers.RatingAnswer]:
    """`POST /predict_rating`."""
    return _post("/predict_rating", answers.RatingAnswer, {**request})


def predict_rating_batch(items: Sequence[RatingRequest]) -> Call[answers.RatingBatchAnswer]:
    """`POST /predict_rating/batch`."""
    return _post("/predict_rating/batch", answers.RatingBatchAnswer, {"items": list(items)})


def post_feedback(events: Sequence[FeedbackRequest], strict: bool) -> Call[answers.FeedbackAnswer]:
    """`POST /feedback`; each event has an id, so that a retry changes nothing."""
    named = [{"event_id": uuid4().hex} | event for event in events]
    return _post("/feedback", answers.FeedbackAnswer, {"events": named, "strict": strict})


def export_feedback(cursor: int, k: int) -> Call[list[dict[str, Any]]]:
    """`GET /feedback`."""
    return Call("GET", "/feedback", _lines, params={"cursor": cursor, "k": k})


def import_feedback(events: Iterable[Mapping[str, Any]], import_id: str | None) -> Call[answers.ImportAnswer]:
    """`POST /feedback/import`; retried only with an `import_id`, which makes that harmless for clicks too."""
    content = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return Call(
        "POST",
        "/feedback/import",
        answers.ImportAnswer.model_validate_json,
        params={"import_id": import_id},
        lines=content,
        is_retried=import_id is not None,
    )


def put_movie(movie_id: str, given: MovieRequest) -> Call[answers.PutMovieAnswer]:
    """`PUT /movies/{movie_id}`."""
    path = f"/movies/{_quoted(movie_id)}"
    return Call("PUT", path, answers.PutMovieAnswer.model_validate_json, body={**given})


def put_movies(movies: Sequence[NamedMovieRequest]) -> Call[answers.PutMoviesAnswer]:
    """`POST /movies`."""
    return _post("/movies", answers.PutMoviesAnswer, {"movies": list(movies)})


def withdraw_movie(movie_id: str) -> Call[answers.PutMovieAnswer]:
    """`DELETE /movies/{movie_id}`."""
    return Call("DELETE", f"/movies/{_quoted(movie_id)}", answers.PutMovieAnswer.model_validate_json)


def forget_user(user_id: str) -> Call[answers.ForgottenAnswer]:
    """`DELETE /users/{user_id}`."""
    return Call("DELETE", f"/users/{_quoted(user_id)}", answers.ForgottenAnswer.model_validate_json)


def user_feedback(user_id: str, k: int, offset: int) -> Call[answers.UserFeedbackAnswer]:
    """`GET /users/{user_id}/feedback`."""
    path = f"/users/{_quoted(user_id)}/feedback"
    return _get(path, answers.UserFeedbackAnswer, {"k": k, "offset": offset})


def remove_feedback(user_id: str, movie_id: str) -> Call[answers.RemovedAnswer]:
    """`DELETE /users/{user_id}/feedback/{movie_id}`."""
    path = f"/users/{_quoted(user_id)}/feedback/{_quoted(movie_id)}"
    return Call("DELETE", path, answers.RemovedAnswer.model_validate_json)


def search_movies(
    query: str, genres_any: str | Sequence[str], k: int, offset: int
) -> Call[answers.MoviesAnswer]:
    """`GET /movies`."""
    params: Parameters = {"query": query, "genres_any": genres_any, "k": k, "offset": offset}
    return _get("/movies", answers.MoviesAnswer, params)


def movie(movie_id: str) -> Call[answers.MovieAnswer]:
    """`GET /movies/{movie_id}`."""
    return _get(f"/movies/{_quoted(movie_id)}", answers.MovieAnswer)


def similar_movies(movie_id: str, k: int) -> Call[answers.SimilarAnswer]:
    """`GET /movies/{movie_id}/similar`."""
    return _get(f"/movies/{_quoted(movie_id)}/similar", answers.SimilarAnswer, {"k": k})


def popular(k: int, genres_any: str | Sequence[str], offset: int) -> Call[answers.PopularAnswer]:
    """`GET /popular`."""
    params: Parameters = {"k": k, "genres_any": genres_any, "offset": offset}
    return _get("/popular", answers.PopularAnswer, params)


def genres() -> Call[answers.GenresAnswer]:
    """`GET /genres`."""
    return _get("/genres", answers.GenresAnswer)


def users(query: str, k: int, offset: int) -> Call[answers.UsersAnswer]:
    """`GET /users`."""
    return _get("/users", answers.UsersAnswer, {"query": query, "k": k, "offset": offset})


def user(user_id: str, k: int, offset: int) -> Call[answers.UserAnswer]:
    """`GET /users/{user_id}`."""
    return _get(f"/users/{_quoted(user_id)}", answers.UserAnswer, {"k": k, "offset": offset})


def model() -> Call[answers.ModelAnswer]:
    """`GET /model`."""
    return _get("/model", answers.ModelAnswer)


def alive() -> Call[answers.Alive]:
    """`GET /healthz`."""
    return _get("/healthz", answers.Alive, is_retried=False)


def ready() -> Call[answers.Ready]:
    """`GET /readyz`."""
    return _get("/readyz", answers.Ready, is_retried=False)


def metrics() -> Call[str]:
    """`GET /metrics`."""
    return Call("GET", "/metrics", bytes.decode)


def reload() -> Call[answers.BundleNow]:
    """`POST /admin/reload`."""
    return _admin("/admin/reload")


def rollback() -> Call[answers.BundleNow]:
    """`POST /admin/rollback`; never retried, because a second rollback undoes the first."""
    return _admin("/admin/rollback", is_retried=False)


def _get(
    path: str, answer: type[Answer], params: Parameters | None = None, *, is_retried: bool = True
) -> Call[Answer]:
    return Call("GET", path, answer.model_validate_json, params=params or {}, is_retried=is_retried)


def _post(path: str, answer: type[Answer], body: Mapping[str, Any]) -> Call[Answer]:
    return Call("POST", path, answer.model_validate_json, body=body)


def _admin(path: str, *, is_retried: bool = True) -> Call[answers.BundleNow]:
    return Call(
        "POST", path, answers.BundleNow.model_validate_json, is_retried=is_retried, needs_admin_key=True
    )


def _lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]


def _quoted(id_: str) -> str:
    """Percent-encode an id as one path segment; dots too, as "." and ".." are special segments."""
    return quote(id_, safe="").replace(".", "%2E")
