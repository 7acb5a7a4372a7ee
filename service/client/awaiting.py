"""The client to await."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self, TypeVar, Unpack

import httpx
from tenacity import AsyncRetrying

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


class AsyncMatineeClient:
    """As `MatineeClient`, for `async with` and `await`."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        admin_key: str | None = None,
        timeout_seconds: float = 10.0,
        retries: int = 3,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=key_header(api_key), timeout=timeout_seconds, transport=transport
        )
        self._admin_key = admin_key
        self._tries = AsyncRetrying(**retry_policy(retries))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives its connections back."""
        await self._http.aclose()

    async def recommend(self, **request: Unpack[RecommendRequest]) -> RecommendAnswer:
        """The best movies for a person."""
        return await self._ask(calls.recommend(request))

    async def recommend_batch(self, requests: Sequence[RecommendRequest]) -> RecommendBatchAnswer:
        """The best movies for many people; a bad request has an error in its place."""
        return await self._ask(calls.recommend_batch(requests))

    async def predict_rating(self, **request: Unpack[RatingRequest]) -> RatingAnswer:
        """The stars that a person would give a movie."""
        return await self._ask(calls.predict_rating(request))

    async def predict_rating_batch(self, pairs: Sequence[RatingRequest]) -> RatingBatchAnswer:
        """The same for many pairs; a bad one has an error in its place."""
        return await self._ask(calls.predict_rating_batch(pairs))

    async def search_movies(
        self, query: str = "", *, genre: str | None = None, limit: int = 20, offset: int = 0
    ) -> MoviesAnswer:
        """Movies by what somebody types of their titles."""
        return await self._ask(calls.search_movies(query, genre, limit, offset))

    async def movie(self, movie_id: str) -> MovieAnswer:
        """One movie."""
        return await self._ask(calls.movie(movie_id))

    async def similar_movies(self, movie_id: str, *, k: int = 10) -> SimilarAnswer:
        """The movies most like one of them."""
        return await self._ask(calls.similar_movies(movie_id, k))

    async def popular(self, *, k: int = 10, genre: str | None = None, offset: int = 0) -> PopularAnswer:
        """The most rated movies."""
        return await self._ask(calls.popular(k, genre, offset))

    async def genres(self) -> GenresAnswer:
        """Every genre, with its number of movies."""
        return await self._ask(calls.genres())

    async def users(self, query: str = "", *, limit: int = 20, offset: int = 0) -> UsersAnswer:
        """Users by what their ids begin with."""
        return await self._ask(calls.users(query, limit, offset))

    async def user(self, user_id: str, *, limit: int = 20, offset: int = 0) -> UserAnswer:
        """A user's history, newest first."""
        return await self._ask(calls.user(user_id, limit, offset))

    async def model(self) -> ModelAnswer:
        """The live bundle's manifest and metrics."""
        return await self._ask(calls.model())

    async def alive(self) -> Alive:
        """Whether the process lives."""
        return await self._ask(calls.alive())

    async def ready(self) -> Ready:
        """The live bundle's id; `Unavailable`, at once, where there is none."""
        return await self._ask(calls.ready())

    async def metrics(self) -> str:
        """What the service counts, in Prometheus's text format."""
        return await self._ask(calls.metrics())

    async def reload(self) -> BundleNow:
        """Has CURRENT looked at now; answers once its bundle is loaded, which takes seconds, or refused."""
        return await self._ask(calls.reload())

    async def rollback(self) -> BundleNow:
        """Goes back to the bundle that was live before; a second one undoes it, so it is never repeated."""
        return await self._ask(calls.rollback())

    async def _ask(self, call: Call[T]) -> T:
        return await self._tries(self._send, call) if call.is_retried else await self._send(call)

    async def _send(self, call: Call[T]) -> T:
        return call.read(await self._http.send(call.request(self._http, self._admin_key)))
