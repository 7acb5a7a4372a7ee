"""Schemas of the batch endpoints, whose elements are validated independently of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from service.http.field_names import name_fields
from service.http.problem_details import Problem
from service.schemas.fields import DEPRECATED, Body
from service.schemas.ratings import RatingAnswer, RatingBody
from service.schemas.recommend import RecommendBody
from service.schemas.recommendations import RecommendAnswer

MOST_REQUESTS = 256
MOST_PAIRS = 1_000


@dataclass(frozen=True)
class Refused:
    """Placeholder of an element that failed validation, with pydantic's errors."""

    errors: Sequence[Any]


def alone(model: type[BaseModel]) -> WrapValidator:
    """Validate an element of a list by itself: one that is wrong is a `Refused` in its place."""

    def validate_alone(element: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(element)
        except ValidationError as error:
            return Refused(name_fields(error.errors(), model))

    return WrapValidator(validate_alone)


def _require_one(items: object, former: object, former_name: str) -> None:
    if (items is None) == (former is None):
        raise ValueError(
            f"expected items, got {f'{former_name} too, its former name' if items else 'nothing'}"
        )


_Recommend = Annotated[
    list[Annotated[RecommendBody, alone(RecommendBody)]], Field(min_length=1, max_length=MOST_REQUESTS)
]
_Rating = Annotated[
    list[Annotated[RatingBody, alone(RatingBody)]], Field(min_length=1, max_length=MOST_PAIRS)
]


class RecommendBatch(Body):
    """`POST /recommend/batch`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [{"user_id": "42", "k": 3}, {"history": [{"movie_id": "50", "rating": 5}], "k": 3}]}
            ]
        }
    )

    items: _Recommend | None = Field(default=None, description="Each a body of `POST /recommend`.")
    requests: _Recommend | None = Field(
        default=None,
        description="Former name of `items`; the answer then has `answers`.",
        json_schema_extra=DEPRECATED,
    )

    @model_validator(mode="after")
    def _has_items(self) -> Self:
        _require_one(self.items, self.requests, "requests")
        return self


class RatingBatch(Body):
    """`POST /predict_rating/batch`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"items": [{"user_id": "42", "movie_id": "97"}, {"user_id": "42", "movie_id": "50"}]}
            ]
        }
    )

    items: _Rating | None = Field(default=None, description="Each a body of `POST /predict_rating`.")
    pairs: _Rating | None = Field(
        default=None,
        description="Former name of `items`; the answer then has `predictions`.",
        json_schema_extra=DEPRECATED,
    )

    @model_validator(mode="after")
    def _has_items(self) -> Self:
        _require_one(self.items, self.pairs, "pairs")
        return self


class ElementError(BaseModel):
    """Error in place of an answer, for an invalid element."""

    error: Problem


class RecommendBatchAnswer(BaseModel):
    """Response of `POST /recommend/batch`."""

    items: list[RecommendAnswer | ElementError] = Field(
        default=[], description="One for each of the request's, in order."
    )
    answers: list[RecommendAnswer | ElementError] = Field(
        default=[],
        description="Former name of `items`, to requests that have `requests`.",
        json_schema_extra=DEPRECATED,
    )


class RatingBatchAnswer(BaseModel):
    """Response of `POST /predict_rating/batch`."""

    items: list[RatingAnswer | ElementError] = Field(
        default=[], description="One for each of the request's, in order."
    )
    predictions: list[RatingAnswer | ElementError] = Field(
        default=[],
        description="Former name of `items`, to requests that have `pairs`.",
        json_schema_extra=DEPRECATED,
    )
