"""The one shape of every error answer: RFC 9457 problem details, naming the field where there is one."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from service.errors import BundleError, MatineeError, RequestError, Suggestion, UnknownTitle

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Errors listed in one answer: a body of a million bad fields is not answered with a million errors."""


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(examples=["body.history.0.rating"])
    message: str = Field(examples=["expected a rating from 1 to 5 stars, got 7"])


class SuggestedMovie(BaseModel):
    """A movie that may have been meant."""

    movie_id: str = Field(description="The movie's id, to ask again with.", examples=["97"])
    title: str = Field(description="Its title.", examples=["Dances with Wolves (1990)"])


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(
        description="A name that programs can rely on; `about:blank` says no more than `status`."
    )
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default=[], description="The fields that are wrong, if any.")
    suggestions: list[SuggestedMovie] = Field(
        default=[], description="Of an unknown title: movies with the closest titles, closest first."
    )


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's `responses` says of its errors, for OpenAPI."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in (*statuses, HTTPStatus.UNPROCESSABLE_ENTITY)
    }


def install_problems(app: FastAPI) -> None:
    """Makes every error that `app` answers a problem, and has OpenAPI say so."""
    app.exception_handler(MatineeError)(_answer_own)
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(HTTPException)(_answer_http)
    app.exception_handler(Exception)(_answer_unforeseen)
    fastapi_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        document = fastapi_openapi()
        for response in _responses(document):
            content = response.get("content", {})
            if content.get("application/json", {}).get("schema") == {"$ref": "#/components/schemas/Problem"}:
                content[MEDIA_TYPE] = content.pop("application/json")
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI documents this as the way to extend it


def _responses(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].values()


def _problem(
    *,
    type_: str,
    title: str,
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
    suggestions: Sequence[Suggestion] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    document: dict[str, Any] = {"type": type_, "title": title, "status": status, "detail": detail}
    if errors:
        document["errors"] = list(errors)
    if suggestions:
        document["suggestions"] = [each._asdict() for each in suggestions]
    # Escaped to ASCII: the name of an unknown field is echoed, and may hold what UTF-8 cannot.
    return Response(json.dumps(document), status, headers, MEDIA_TYPE)


async def _answer_own(request: Request, error: MatineeError) -> Response:
    errors = []
    if isinstance(error, RequestError):
        errors = [{"field": f"{_place(request, error.field)}.{error.field}", "message": str(error)}]
    suggestions = await to_thread.run_sync(error.suggest) if isinstance(error, UnknownTitle) else []
    return _problem(
        type_=_type_of(error),
        title=error.title,
        status=error.status,
        detail=str(error),
        errors=errors,
        suggestions=suggestions,
        headers={"Retry-After": "5"} if isinstance(error, BundleError) else None,
    )


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [_field_error(request, each) for each in error.errors()[:MOST_ERRORS]]
    return _invalid(errors)


async def _answer_http(request: Request, error: HTTPException) -> Response:
    """Errors of the framework: no such route, no such method, a body that cannot be parsed."""
    if isinstance(error.__cause__, ValueError | RecursionError):
        # FastAPI's answer to bytes that are no UTF-8, to endless digits and to endless nesting.
        return _invalid(
            [{"field": "body", "message": "expected JSON in UTF-8, nested less deeply than this"}]
        )
    status = HTTPStatus(error.status_code)
    return _problem(
        type_="about:blank",
        title=status.phrase,
        status=status,
        detail=f"{request.method} {request.url.path}: {error.detail}",
        headers=error.headers,
    )


async def _answer_unforeseen(request: Request, error: Exception) -> Response:  # noqa: ARG001 the server logs it
    return _problem(
        type_=_type_of(MatineeError()),
        title=MatineeError.title,
        status=MatineeError.status,
        detail="the service failed in a way that was not foreseen; its log has the reason",
    )


def _invalid(errors: Sequence[Mapping[str, str]]) -> Response:
    return _problem(
        type_="urn:matinee:invalid-request",
        title=RequestError.title,
        status=RequestError.status,
        detail="; ".join(f"{each['field']}: {each['message']}" for each in errors),
        errors=errors,
    )


def _field_error(request: Request, error: Mapping[str, Any]) -> dict[str, str]:
    """One of pydantic's errors, in our words where its own would puzzle."""
    location: tuple[str | int, ...] = error["loc"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        message = f"not JSON: {error['ctx']['error']} at character {location[1]}"
        location = ("body",)
    elif location == ("body",) and isinstance(error["input"], bytes):
        sent = request.headers.get("content-type", "none")
        message = f"expected a JSON object with Content-Type: application/json, got Content-Type: {sent}"
    elif error["type"].endswith("_type"):
        message += f", got {reprlib.repr(error['input'])}"
    return {"field": ".".join(map(str, location)), "message": message}


def _place(request: Request, field: str) -> str:
    if field in request.path_params:
        return "path"
    return "query" if request.method == "GET" else "body"


def _type_of(error: MatineeError) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__)
    return f"urn:matinee:{name.lower()}"
