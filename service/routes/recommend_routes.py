"""`/recommend`: the best movies for a user."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.http.api_route import ApiRoute
from service.http.direct_routes import DirectRoute
from service.http.problems import document_problems
from service.routes.batch_answers import answer_batch, answer_one
from service.schemas.batches import RecommendBatch, RecommendBatchAnswer, Refused
from service.schemas.recommend import RecommendBody, RecommendParameters
from service.schemas.recommendations import RecommendAnswer

router = APIRouter(route_class=ApiRoute, tags=["recommendations"])
_direct = APIRouter(route_class=DirectRoute, tags=["recommendations"])


@_direct.post(
    "/recommend",
    response_model=RecommendAnswer,
    responses=document_problems(404, 409, 413, 503, 504),
)
async def recommend(body: RecommendBody, request: Request) -> Response:
    """The best movies for a known user, or for a cold-start user who sends a history."""
    return await answer_one(request, body.to_query())


@router.get("/recommend", response_model=RecommendAnswer, responses=document_problems(404, 409, 503, 504))
async def recommend_by_url(parameters: Annotated[RecommendParameters, Query()], request: Request) -> Response:
    """The best movies for a known user, for a browser or curl."""
    return await answer_one(request, parameters.to_query())


@_direct.post(
    "/recommend/batch", response_model=RecommendBatchAnswer, responses=document_problems(413, 503, 504)
)
async def recommend_batch(body: RecommendBatch, request: Request) -> Response:
    """Lists for many users at once; a bad request among them gets an error in its place."""
    given, returned = ("requests", "answers") if body.items is None else ("items", "items")
    elements = body.items or body.requests or ()
    queries = [each if isinstance(each, Refused) else each.to_query() for each in elements]
    return await answer_batch(request, queries, given=given, returned=returned)


router.routes.extend(_direct.routes)
