"""`/predict_rating`: the stars that a user would give a movie."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.http.api_route import ApiRoute
from service.http.direct_routes import DirectRoute
from service.http.problems import document_problems
from service.routes.batch_answers import answer_batch, answer_one
from service.schemas.batches import RatingBatch, RatingBatchAnswer, Refused
from service.schemas.ratings import RatingAnswer, RatingBody, RatingParameters

router = APIRouter(route_class=ApiRoute, tags=["recommendations"])
_direct = APIRouter(route_class=DirectRoute, tags=["recommendations"])


@_direct.post(
    "/predict_rating", response_model=RatingAnswer, responses=document_problems(404, 409, 413, 503, 504)
)
async def predict_rating(body: RatingBody, request: Request) -> Response:
    """The stars that a known user, or one who sends a history, would give a movie."""
    return await answer_one(request, body.to_query())


@router.get("/predict_rating", response_model=RatingAnswer, responses=document_problems(404, 409, 503, 504))
async def predict_rating_by_url(
    parameters: Annotated[RatingParameters, Query()], request: Request
) -> Response:
    """The stars that a user would give a movie, for a browser or curl."""
    return await answer_one(request, parameters.to_query())


@_direct.post(
    "/predict_rating/batch", response_model=RatingBatchAnswer, responses=document_problems(413, 503, 504)
)
async def predict_rating_batch(body: RatingBatch, request: Request) -> Response:
    """Stars for many pairs at once; a bad pair among them gets an error in its place."""
    given, returned = ("pairs", "predictions") if body.items is None else ("items", "items")
    elements = body.items or body.pairs or ()
    queries = [each if isinstance(each, Refused) else each.to_query() for each in elements]
    return await answer_batch(request, queries, given=given, returned=returned)


router.routes.extend(_direct.routes)
