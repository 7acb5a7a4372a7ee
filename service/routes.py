"""The endpoints: a schema in, one call of the recommender off the event loop, a schema out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from service.bundle import HistoryEntry
from service.problems import document_problems
from service.queries import RatingQuery, RecommendQuery
from service.recommender import Recommender
from service.schemas import (
    Alive,
    HistoryEntryBody,
    ModelAnswer,
    RatingAnswer,
    RatingBody,
    RatingParameters,
    Ready,
    RecommendAnswer,
    RecommendBody,
    RecommendParameters,
)

router = APIRouter(redirect_slashes=False)
T = TypeVar("T")


@router.post("/recommend", response_model=RecommendAnswer, responses=document_problems(404, 503))
async def recommend(body: RecommendBody, request: Request) -> JSONResponse:
    """The best movies for a known user, or for anybody who sends a history."""
    query = RecommendQuery(
        user_id=body.user_id,
        history=_history(body.history),
        timestamp=body.timestamp,
        k=body.k,
        exclude_seen=body.exclude_seen,
    )
    return await _recommend(query, request)


@router.get("/recommend", response_model=RecommendAnswer, responses=document_problems(503))
async def recommend_user(
    parameters: Annotated[RecommendParameters, Query()], request: Request
) -> JSONResponse:
    """The best movies for a known user, for a browser or curl."""
    query = RecommendQuery(
        user_id=parameters.user_id,
        timestamp=parameters.timestamp,
        k=parameters.k,
        exclude_seen=parameters.exclude_seen,
    )
    return await _recommend(query, request)


@router.post("/predict_rating", response_model=RatingAnswer, responses=document_problems(404, 503))
async def predict_rating(body: RatingBody, request: Request) -> JSONResponse:
    """The stars that a person would give a movie."""
    query = RatingQuery(
        user_id=body.user_id,
        history=_history(body.history),
        timestamp=body.timestamp,
        movie_id=body.movie_id,
        movie_title=body.movie_title,
    )
    return await _predict_rating(query, request)


@router.get("/predict_rating", response_model=RatingAnswer, responses=document_problems(404, 503))
async def predict_user_rating(
    parameters: Annotated[RatingParameters, Query()], request: Request
) -> JSONResponse:
    """The stars that a user would give a movie, for a browser or curl."""
    query = RatingQuery(
        user_id=parameters.user_id,
        timestamp=parameters.timestamp,
        movie_id=parameters.movie_id,
        movie_title=parameters.movie_title,
    )
    return await _predict_rating(query, request)


@router.get("/healthz")
async def healthz() -> Alive:
    """Whether the process lives; says nothing about a bundle."""
    return Alive()


@router.get("/readyz", responses=document_problems(503))
async def readyz(request: Request) -> Ready:
    """Whether a verified and warmed bundle answers, and which."""
    return Ready(bundle_id=_live(request).bundle_id)


@router.get("/model", responses=document_problems(503))
async def model(request: Request) -> ModelAnswer:
    """Where the live bundle comes from and how good it measured."""
    manifest = _live(request).manifest
    return ModelAnswer(
        bundle_id=manifest.bundle_id,
        metrics="not measured" if manifest.metrics is None else manifest.metrics,
        manifest=manifest.to_document(),
    )


def _live(request: Request) -> Recommender:
    live: Recommender = request.app.state.reloader.recommender
    return live


async def _off_the_loop(request: Request, work: Callable[[], T]) -> T:
    return await to_thread.run_sync(work, limiter=request.app.state.limiter)


def _history(entries: Sequence[HistoryEntryBody]) -> list[HistoryEntry]:
    return [{"movie_id": entry.movie_id, "rating": entry.rating} for entry in entries]


async def _recommend(query: RecommendQuery, request: Request) -> JSONResponse:
    recommender = _live(request)
    answer = await _off_the_loop(request, lambda: recommender.recommend(query))
    movies = recommender.catalogue
    # Written as JSON at once: building and validating models of up to 500 items would cost more than finding
    # them. A test holds the answer to its declared schema.
    items: list[dict[str, Any]] = [
        {
            "movie_id": movies.movie_ids[row],
            "title": movies.titles[row],
            "genres": movies.genres[row],
            "year": movies.years[row],
            "score": score,
            "predicted_rating": stars,
        }
        for row, score, stars in zip(
            answer.rows.tolist(), answer.scores.tolist(), answer.predicted_ratings.tolist(), strict=True
        )
    ]
    return JSONResponse(
        {
            "user_id": query.user_id,
            "bundle_id": recommender.bundle_id,
            "source": answer.source,
            "items": items,
        }
    )


async def _predict_rating(query: RatingQuery, request: Request) -> JSONResponse:
    recommender = _live(request)
    answer = await _off_the_loop(request, lambda: recommender.predict_rating(query))
    return JSONResponse(
        {
            "user_id": query.user_id,
            "movie_id": recommender.catalogue.movie_ids[answer.row],
            "title": recommender.catalogue.titles[answer.row],
            "predicted_rating": answer.stars,
            "known_user": answer.known_user,
            "bundle_id": recommender.bundle_id,
        }
    )
