"""Synchronous client of the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import httpx
from tenacity import Retrying

from matinee_client import answers, calls
from matinee_client.call import Call, key_header
from matinee_client.former_names import former_names
from matinee_client.requests import (
    FeedbackRequest,
    MovieRequest,
    NamedMovieRequest,
    RatingRequest,
    RecommendRequest,
)
from matinee_client.retries import retry_policy

T = TypeVar("T")


class MatineeClient:
    """Synchronous client, safe to share between threads.

    Its methods raise `AnswerError` if the service answers with an error, and `httpx.TransportError` without
    an answer.

    Args:
        base_url: URL of the service, such as `http://127.0.0.1:8000`.
        api_key: Sent as `X-API-Key`.
        admin_key: Sent instead for `reload` and `rollback`.
        timeout_seconds: Limit of each attempt: to connect, to send, and between two chunks of the answer.
        retries: Most repetitions of a request, see `matinee_client.retries`.
        transport: An httpx transport, such as one to an application in this process.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        admin_key: str | None = None,
        timeout_seconds: float = 10.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=base_url, headers=key_header(api_key), timeout=timeout_seconds, transport=transport
        )
        self._admin_key = admin_key
        self._retrying = Retrying(**retry_policy(retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def recommend(self, **request: Unpack[RecommendRequest]) -> answers.RecommendAnswer:
        """Recommend movies to a user."""
        return self._call(calls.recommend(request))

    @former_names(requests="items")
    def recommend_batch(self, items: Sequence[RecommendRequest]) -> answers.RecommendBatchAnswer:
        """Recommend movies to many users; an invalid request gets an error in its place."""
        return self._call(calls.recommend_batch(items))

    def predict_rating(self, **request: Unpack[RatingRequest]) -> answers.RatingAnswer:
        """Predict the rating a user would give a movie."""
        return self._call(calls.predict_rating(request))

    @former_names(pairs="items")
    def predict_rating_batch(self, items: Sequence[RatingRequest]) -> answers.RatingBatchAnswer:
        """Predict many ratings; an invalid pair gets an error in its place."""
        return self._call(calls.predict_rating_batch(items))

    def post_feedback(
        self, events: Sequence[FeedbackRequest], *, strict: bool = False
    ) -> answers.FeedbackAnswer:
        """Post what users did: it is stored, and in force in the next request, once this returns."""
        return self._call(calls.post_feedback(events, strict))

    @former_names(limit="k")
    def export_feedback(self, *, cursor: int = 0, k: int = 100_000) -> list[dict[str, Any]]:
        """Get stored events after a position; the last one's position is the next cursor."""
        return self._call(calls.export_feedback(cursor, k))

    def import_feedback(
        self, events: Iterable[Mapping[str, Any]], *, import_id: str | None = None
    ) -> answers.ImportAnswer:
        """Store many events, as posted or as exported; with an `import_id` none of them counts twice."""
        return self._call(calls.import_feedback(events, import_id))

    def put_movie(self, movie_id: str, **given: Unpack[MovieRequest]) -> answers.PutMovieAnswer:
        """Describe a movie, new or known, or say whether it may be shown; what is left out stays as it is."""
        return self._call(calls.put_movie(movie_id, given))

    def put_movies(self, movies: Sequence[NamedMovieRequest]) -> answers.PutMoviesAnswer:
        """Put many movies at once; an invalid one is refused alone."""
        return self._call(calls.put_movies(movies))

    def withdraw_movie(self, movie_id: str) -> answers.PutMovieAnswer:
        """Withhold a movie from all users."""
        return self._call(calls.withdraw_movie(movie_id))

    def forget_user(self, user_id: str) -> answers.ForgottenAnswer:
        """Forget a user, in every bundle."""
        return self._call(calls.forget_user(user_id))

    @former_names(limit="k")
    def user_feedback(self, user_id: str, *, k: int = 20, offset: int = 0) -> answers.UserFeedbackAnswer:
        """Get what is stored of a user, newest first."""
        return self._call(calls.user_feedback(user_id, k, offset))

    def remove_feedback(self, user_id: str, movie_id: str) -> answers.RemovedAnswer:
        """Take a movie out of a user's history, and show it again."""
        return self._call(calls.remove_feedback(user_id, movie_id))

    @former_names(genre="genres_any", limit="k")
    def search_movies(
        self, query: str = "", *, genres_any: str | Sequence[str] = (), k: int = 20, offset: int = 0
    ) -> answers.MoviesAnswer:
        """Search movies by title, also misspelt or incomplete."""
        return self._call(calls.search_movies(query, genres_any, k, offset))

    def movie(self, movie_id: str) -> answers.MovieAnswer:
        """Get one movie."""
        return self._call(calls.movie(movie_id))

    def similar_movies(self, movie_id: str, *, k: int = 10) -> answers.SimilarAnswer:
        """Find the movies most similar to one."""
        return self._call(calls.similar_movies(movie_id, k))

    @former_names(genre="genres_any")
    def popular(
        self, *, k: int = 10, genres_any: str | Sequence[str] = (), offset: int = 0
    ) -> answers.PopularAnswer:
        """List the most rated movies."""
        return self._call(calls.popular(k, genres_any, offset))

    def genres(self) -> answers.GenresAnswer:
        """List all genres with their numbers of movies."""
        return self._call(calls.genres())

    @former_names(limit="k")
    def users(self, query: str = "", *, k: int = 20, offset: int = 0) -> answers.UsersAnswer:
        """Search users by a prefix of their ids."""
        return self._call(calls.users(query, k, offset))

    @former_names(limit="k")
    def user(self, user_id: str, *, k: int = 20, offset: int = 0) -> answers.UserAnswer:
        """Get a user's history, newest first."""
        return self._call(calls.user(user_id, k, offset))

    def model(self) -> answers.ModelAnswer:
        """Get the live bundle's manifest and metrics."""
        return self._call(calls.model())

    def alive(self) -> answers.Alive:
        """Check that the process is alive."""
        return self._call(calls.alive())

    def ready(self) -> answers.Ready:
        """Get the live bundle's id; raises `Unavailable` at once if there is none."""
        return self._call(calls.ready())

    def metrics(self) -> str:
        """Get the service's metrics in Prometheus's text format."""
        return self._call(calls.metrics())

    def reload(self) -> answers.BundleNow:
        """Load the bundle that CURRENT names; returns once it is live, which takes seconds, or refused."""
        return self._call(calls.reload())

    def rollback(self) -> answers.BundleNow:
        """Go back to the previous bundle; never retried, because a second rollback undoes the first."""
        return self._call(calls.rollback())

    def _call(self, call: Call[T]) -> T:
        return self._retrying(self._send, call) if call.is_retried else self._send(call)

    def _send(self, call: Call[T]) -> T:
        return call.read(self._http.send(call.request(self._http, self._admin_key)))
