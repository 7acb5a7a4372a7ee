"""RFC 9457 problem details: the body of every error response, and of errors inside a batch."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from service.errors import MatineeError, RequestError, UnknownTitle

MEDIA_TYPE = "application/problem+json"

MOST_ERRORS = 20
"""Most field errors in one response, whatever the size of the request."""

LONGEST_FIELD = 200
"""Most characters of a field's name in a response: the name of an unknown field has no limit."""


class FieldError(BaseModel):
    """The error of one field."""

    field: str = Field(description="Path of the field in the request.", examples=["body.history.0.rating"])
    message: str = Field(
        description="What was expected, and what was received.",
        examples=["expected a rating from 1 to 5 stars, got 7"],
    )


class SuggestedMovie(BaseModel):
    """A movie whose title is close to the unknown one."""

    movie_id: str = Field(description="The movie's id, for the corrected request.", examples=["97"])
    title: str = Field(description="Its title.", examples=["Dances with Wolves (1990)"])
    display_title: str = Field(
        description="The title as people say it: articles in front, and without the year.",
        examples=["Dances with Wolves"],
    )


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(
        description="A stable name for programs; `about:blank` says no more than `status`.",
        examples=["urn:matinee:invalid-request"],
    )
    title: str = Field(description="The kind of error, for people.", examples=["Invalid request"])
    status: int = Field(ge=400, le=599, description="HTTP status of the response.", examples=[422])
    detail: str = Field(
        description="What was expected, what was received, how to fix it.",
        examples=["body.history.0.rating: expected a rating from 1 to 5 stars, got 7"],
    )
    errors: list[FieldError] = Field(default=[], description="The invalid fields, if any.")
    suggestions: list[SuggestedMovie] = Field(
        default=[], description="For an unknown title: the movies with the closest titles, closest first."
    )


def problem_of(error: MatineeError, place: str) -> dict[str, Any]:
    """Convert an error of the service to problem details.

    Args:
        error: The error.
        place: The part of the request that has the field, such as `body`.
    """
    errors = []
    if isinstance(error, RequestError):
        # In a query string the conditions of a filter are parameters.
        field = error.field.removeprefix("filter.") if place == "query" else error.field
        errors = [{"field": f"{place}.{field}", "message": str(error)}]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__)
    problem = plain_problem(f"urn:matinee:{name.lower()}", error.title, error.status, str(error), errors)
    if isinstance(error, UnknownTitle) and error.suggestions:
        problem["suggestions"] = [each._asdict() for each in error.suggestions]
    return problem


def problem_of_fields(errors: Sequence[Mapping[str, Any]], place: Sequence[str | int] = ()) -> dict[str, Any]:
    """Convert pydantic's errors, whose locations are relative to `place`, to problem details."""
    return invalid_request([_field_error(each, place) for each in errors[:MOST_ERRORS]])


def invalid_request(errors: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Make the problem details of invalid fields, each with `field` and `message`."""
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
    return plain_problem(
        "urn:matinee:invalid-request", RequestError.title, RequestError.status, detail, errors
    )


def plain_problem(
    type_: str, title: str, status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Make problem details as a `Problem` has them, without empty fields."""
    document: dict[str, Any] = {"type": type_, "title": title, "status": status, "detail": detail}
    return document | ({"errors": list(errors)} if errors else {})


def _field_error(error: Mapping[str, Any], place: Sequence[str | int]) -> dict[str, str]:
    """Convert one of pydantic's errors, with clearer messages for some kinds."""
    location: tuple[str | int, ...] = (*place, *error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        message = f"not JSON: {error['ctx']['error']} at character {location[1]}"
        location = ("body",)
    elif error["type"].endswith("_type"):
        message += f", got {reprlib.repr(error['input'])}"
    return {"field": ".".join(map(str, location))[:LONGEST_FIELD], "message": message}
