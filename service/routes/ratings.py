"""`/predict_rating`: the stars that a person would give a movie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from service.problems import document_problems
from service.queries import RatingQuery
from service.routes.live import live_recommender, off_the_loop
from service.schemas.ratings import RatingAnswer, RatingBody, RatingParameters

router = APIRouter()


@router.post("/predict_rating", response_model=RatingAnswer, responses=document_problems(404, 503))
async def predict_rating(body: RatingBody, request: Request) -> JSONResponse:
    """The stars that a person would give a movie."""
    query = RatingQuery(
        user_id=body.user_id,
        history=[{"movie_id": entry.movie_id, "rating": entry.rating} for entry in body.history],
        timestamp=body.timestamp,
        movie_id=body.movie_id,
        movie_title=body.movie_title,
    )
    return await _answer(query, request)


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
    return await _answer(query, request)


async def _answer(query: RatingQuery, request: Request) -> JSONResponse:
    recommender = live_recommender(request)
    answer = await off_the_loop(request, lambda: recommender.predict_rating(query))
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
