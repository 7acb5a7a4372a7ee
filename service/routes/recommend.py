"""`/recommend`: the best movies for a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from service.problems import document_problems
from service.queries import RecommendQuery
from service.routes.live import live_recommender, off_the_loop
from service.schemas.recommend import RecommendAnswer, RecommendBody, RecommendParameters

router = APIRouter()


@router.post("/recommend", response_model=RecommendAnswer, responses=document_problems(404, 503))
async def recommend(body: RecommendBody, request: Request) -> JSONResponse:
    """The best movies for a known user, or for anybody who sends a history."""
    query = RecommendQuery(
        user_id=body.user_id,
        history=[{"movie_id": entry.movie_id, "rating": entry.rating} for entry in body.history],
        timestamp=body.timestamp,
        k=body.k,
        exclude_seen=body.exclude_seen,
    )
    return await _answer(query, request)


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
    return await _answer(query, request)


async def _answer(query: RecommendQuery, request: Request) -> JSONResponse:
    recommender = live_recommender(request)
    answer = await off_the_loop(request, lambda: recommender.recommend(query))
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
