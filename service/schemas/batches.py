"""Schemas of the batch endpoints, whose elements are validated independently of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from service.http.problem_details import Problem
from service.schemas.fields import Body
from service.schemas.ratings import RatingAnswer, RatingBody
from service.schemas.recommend import RecommendBody
from service.schemas.recommendations import RecommendAnswer

MOST_REQUESTS = 256
MOST_PAIRS = 1_000


@dataclass(frozen=True)
class Refused:
    """Placeholder of an element that failed validation, with pydantic's errors."""

    errors: Sequence[Any]


def _validate_alone(element: object, validate: ValidatorFunctionWrapHandler) -> object:
    try:
        return validate(element)
    except ValidationError as error:
        return Refused(error.errors())


Alone = WrapValidator(_validate_alone)


class RecommendBatch(Body):
    """`POST /recommend/batch`."""

    requests: list[Annotated[RecommendBody, Alone]] = Field(
        min_length=1, max_length=MOST_REQUESTS, description="Each a body of `POST /recommend`."
    )


class RatingBatch(Body):
    """`POST /predict_rating/batch`."""

    pairs: list[Annotated[RatingBody, Alone]] = Field(
        min_length=1, max_length=MOST_PAIRS, description="Each a body of `POST /predict_rating`."
    )


class ElementError(BaseModel):
    """Error in place of an answer, for an invalid element."""

    error: Problem


class RecommendBatchAnswer(BaseModel):
    """Response of `POST /recommend/batch`."""

    answers: list[RecommendAnswer | ElementError] = Field(description="One for each request, in order.")


class RatingBatchAnswer(BaseModel):
    """Response of `POST /predict_rating/batch`."""

    predictions: list[RatingAnswer | ElementError] = Field(description="One for each pair, in order.")
