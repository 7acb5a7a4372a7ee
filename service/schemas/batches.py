"""Batches: each element is validated by itself, so that a bad one does not fail the others."""

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
    """What stands in the place of an element that is malformed: pydantic's errors."""

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
        min_length=1, max_length=MOST_REQUESTS, description="Each as `POST /recommend` takes it."
    )


class RatingBatch(Body):
    """`POST /predict_rating/batch`."""

    pairs: list[Annotated[RatingBody, Alone]] = Field(
        min_length=1, max_length=MOST_PAIRS, description="Each as `POST /predict_rating` takes it."
    )


class ElementError(BaseModel):
    """Stands in the place of an answer where the element was wrong."""

    error: Problem


class RecommendBatchAnswer(BaseModel):
    """The answer of `/recommend/batch`."""

    answers: list[RecommendAnswer | ElementError] = Field(description="One for each request, in order.")


class RatingBatchAnswer(BaseModel):
    """The answer of `/predict_rating/batch`."""

    predictions: list[RatingAnswer | ElementError] = Field(description="One for each pair, in order.")
