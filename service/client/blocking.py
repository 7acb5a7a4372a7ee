"""The client that waits for its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TypeVar, Unpack

import httpx
from tenacity import Retrying

from service.client import calls
from service.client.call import Call, key_header
from service.client.calls import RatingRequest, RecommendRequest
from service.client.retries import retry_policy
from service.schemas.admin import BundleNow
from service.schemas.batches import RatingBatchAnswer, RecommendBatchAnswer
from service.schemas.health import Alive, ModelAnswer, Ready
from service.schemas.movies import GenresAnswer, MovieAnswer, MoviesAnswer, PopularAnswer, SimilarAnswer
from service.schemas.ratings import RatingAnswer
from service.schemas.recommendations import RecommendAnswer
from service.schemas.users import UserAnswer, UsersAnswer

T = TypeVar("T")


class MatineeClient:
    """Asks the service and waits for its answers; several threads may share one.

    Its methods raise `AnswerError` where the service answers an error, `httpx.TransportError`
    where it does not answer.

    Args:
        base_url: Where the service is, such as `http://127.0.0.1:8000`.
        api_key: Sent as `X-API-Key`.
        admin_key: Sent instead to what is for operators: `reload` and `rollback`.
        timeout_seconds: Of each try: to connect, to send, and between two pieces of the answer.
        retries: How often a request is repeated at most, see `service.client.retries`.
        transport: An httpx transport, such as one to an application of this process.
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
        self._tries = Retrying(**retry_policy(retries))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives its connections back."""
        self._http.close()

    def recommend(self, **request: Unpack[RecommendRequest]) -> RecommendAnswer:
        """The best movies for a person."""
        return self._ask(calls.recommend(request))

    def recommend_batch(self, requests: Sequence[RecommendRequest]) -> RecommendBatchAnswer:
        """The best movies for many people; a bad request has an error in its place."""
        return self._ask(calls.recommend_batch(requests))

    def predict_rating(self, **request: Unpack[RatingRequest]) -> RatingAnswer:
        """The stars that a person would give a movie."""
        return self._ask(calls.predict_rating(request))

    def predict_rating_batch(self, pairs: Sequence[RatingRequest]) -> RatingBatchAnswer:
        """The same for many pairs; a bad one has an error in its place."""
        return self._ask(calls.predict_rating_batch(pairs))

    def search_movies(
        self, query: str = "", *, genre: str | None = None, limit: int = 20, offset: int = 0
    ) -> MoviesAnswer:
        """Movies by what somebody types of their titles."""
        return self._ask(calls.search_movies(query, genre, limit, offset))

    def movie(self, movie_id: str) -> MovieAnswer:
        """One movie."""
        return self._ask(calls.movie(movie_id))

    def similar_movies(self, movie_id: str, *, k: int = 10) -> SimilarAnswer:
        """The movies most like one of them."""
        return self._ask(calls.similar_movies(movie_id, k))

    def popular(self, *, k: int = 10, genre: str | None = None, offset: int = 0) -> PopularAnswer:
        """The most rated movies."""
        return self._ask(calls.popular(k, genre, offset))

    def genres(self) -> GenresAnswer:
        """Every genre, with its number of movies."""
        return self._ask(calls.genres())

    def users(self, query: str = "", *, limit: int = 20, offset: int = 0) -> UsersAnswer:
        """Users by what their ids begin with."""
        return self._ask(calls.users(query, limit, offset))

    def user(self, user_id: str, *, limit: int = 20, offset: int = 0) -> UserAnswer:
        """A user's history, newest first."""
        return self._ask(calls.user(user_id, limit, offset))

    def model(self) -> ModelAnswer:
        """The live bundle's manifest and metrics."""
        return self._ask(calls.model())

    def alive(self) -> Alive:
        """Whether the process lives."""
        return self._ask(calls.alive())

    def ready(self) -> Ready:
        """The live bundle's id; `Unavailable`, at once, where there is none."""
        return self._ask(calls.ready())

    def metrics(self) -> str:
        """What the service counts, in Prometheus's text format."""
        return self._ask(calls.metrics())

    def reload(self) -> BundleNow:
        """Has CURRENT looked at now; answers once its bundle is loaded, which takes seconds, or refused."""
        return self._ask(calls.reload())

    def rollback(self) -> BundleNow:
        """Goes back to the bundle that was live before; a second one undoes it, so it is never repeated."""
        return self._ask(calls.rollback())

    def _ask(self, call: Call[T]) -> T:
        return self._tries(self._send, call) if call.is_retried else self._send(call)

    def _send(self, call: Call[T]) -> T:
        return call.read(self._http.send(call.request(self._http, self._admin_key)))
