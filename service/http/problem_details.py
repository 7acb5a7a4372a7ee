"""RFC 9457 problem details: the one shape of every error, be it the answer or one inside of a batch."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from service.errors import MatineeError, RequestError, UnknownTitle

MEDIA_TYPE = "application/problem+json"

MOST_ERRORS = 20
"""Errors listed in one answer: a body of a million bad fields is not answered with a million errors."""

LONGEST_FIELD = 200
"""Characters of a field's name that are repeated: an unknown one may have as many as a body."""


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where in the request.", examples=["body.history.0.rating"])
    message: str = Field(
        description="What was expected, and what came.",
        examples=["expected a rating from 1 to 5 stars, got 7"],
    )


class SuggestedMovie(BaseModel):
    """A movie that may have been meant."""

    movie_id: str = Field(description="The movie's id, to ask again with.", examples=["97"])
    title: str = Field(description="Its title.", examples=["Dances with Wolves (1990)"])


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(
        description="A name that programs can rely on; `about:blank` says no more than `status`.",
        examples=["urn:matinee:invalid-request"],
    )
    title: str = Field(description="The same for people.", examples=["Invalid request"])
    status: int = Field(ge=400, le=599, description="That of the answer.", examples=[422])
    detail: str = Field(
        description="What was expected, what came, how to mend it.",
        examples=["body.history.0.rating: expected a rating from 1 to 5 stars, got 7"],
    )
    errors: list[FieldError] = Field(default=[], description="The fields that are wrong, if any.")
    suggestions: list[SuggestedMovie] = Field(
        default=[], description="Of an unknown title: movies with the closest titles, closest first."
    )


def problem_of(error: MatineeError, place: str) -> dict[str, Any]:
    """The problem of one of our errors.

    Args:
        error: What went wrong.
        place: Where the field is that it names, such as `body`.
    """
    errors = []
    if isinstance(error, RequestError):
        errors = [{"field": f"{place}.{error.field}", "message": str(error)}]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__)
    problem = plain_problem(f"urn:matinee:{name.lower()}", error.title, error.status, str(error), errors)
    if isinstance(error, UnknownTitle) and error.suggestions:
        problem["suggestions"] = [each._asdict() for each in error.suggestions]
    return problem


def problem_of_fields(errors: Sequence[Mapping[str, Any]], place: Sequence[str | int] = ()) -> dict[str, Any]:
    """The problem of pydantic's errors, whose places are below `place`."""
    return invalid_request([_field_error(each, place) for each in errors[:MOST_ERRORS]])


def invalid_request(errors: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The problem of fields that are wrong, each with `field` and `message`."""
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
    return plain_problem(
        "urn:matinee:invalid-request", RequestError.title, RequestError.status, detail, errors
    )


def plain_problem(
    type_: str, title: str, status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """A `Problem`, without what is empty."""
    document: dict[str, Any] = {"type": type_, "title": title, "status": status, "detail": detail}
    return document | ({"errors": list(errors)} if errors else {})


def _field_error(error: Mapping[str, Any], place: Sequence[str | int]) -> dict[str, str]:
    """One of pydantic's errors, in our words where its own would puzzle."""
    location: tuple[str | int, ...] = (*place, *error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        message = f"not JSON: {error['ctx']['error']} at character {location[1]}"
        location = ("body",)
    elif error["type"].endswith("_type"):
        message += f", got {reprlib.repr(error['input'])}"
    return {"field": ".".join(map(str, location))[:LONGEST_FIELD], "message": message}
