"""Exception handlers that turn every error into RFC 9457 problem details."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from service.errors import MatineeError
from service.http.field_names import UNKNOWN_FIELD, name_fields
from service.http.problem_details import (
    MEDIA_TYPE,
    Problem,
    invalid_request,
    plain_problem,
    problem_of,
    problem_of_fields,
)


def document_problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` argument of a route, which documents its errors in OpenAPI."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase}
        for status in (*statuses, HTTPStatus.UNPROCESSABLE_ENTITY)
    }


def answer_problem(error: MatineeError) -> Response:
    """Make the response to an error raised before routing."""
    return _respond(problem_of(error, ""), error.headers)


def unforeseen_problem() -> Response:
    """The answer to an exception that was not handled; what it is goes to the log only."""
    reason = "the service failed in a way that was not foreseen; its log has the reason"
    return _respond(problem_of(MatineeError(reason), ""))


def install_problems(app: FastAPI) -> None:
    """Register the exception handlers of foreseen errors on an app."""
    app.exception_handler(MatineeError)(_answer_own)
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(HTTPException)(_answer_http)


def _respond(problem: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    # Escaped to ASCII: the name of an unknown field is echoed, and may contain unpaired surrogates.
    return Response(json.dumps(problem), problem["status"], headers, MEDIA_TYPE)


def answer_to_error(request: Request, error: MatineeError) -> Response:
    """Make the response to an error raised by a route."""
    headers = dict(error.headers)
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return _respond(problem_of(error, _place(request, getattr(error, "field", ""))), headers)


async def _answer_own(request: Request, error: MatineeError) -> Response:
    return answer_to_error(request, error)


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    errors = error.errors()
    if any(each["type"] == UNKNOWN_FIELD for each in errors):
        errors = [
            named for each in errors for named in name_fields([each], _validated(request, each["loc"]), 1)
        ]
    if errors[0]["loc"] == ("body",) and isinstance(errors[0]["input"], bytes):
        sent = request.headers.get("content-type", "none")
        message = f"expected a JSON object with Content-Type: application/json, got Content-Type: {sent}"
        return _respond(invalid_request([{"field": "body", "message": message}]))
    return _respond(problem_of_fields(errors))


async def _answer_http(request: Request, error: HTTPException) -> Response:
    """Answer errors of the framework: no such route or method, a body that cannot be read or parsed."""
    if isinstance(error.__cause__, MatineeError):
        return answer_to_error(request, error.__cause__)
    if isinstance(error.__cause__, ValueError | RecursionError):
        # FastAPI raises these for bytes that are not UTF-8, too many digits and too deep nesting.
        message = "expected JSON in UTF-8 of moderate nesting, got something else"
        return _respond(invalid_request([{"field": "body", "message": message}]))
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED and (route := request.scope.get("route")):
        # All methods of the path: the framework names only those of its first route.
        operations = request.app.openapi()["paths"].get(route.path_format, route.methods)
        allowed = {method.upper() for method in operations}
        headers["Allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return _respond(plain_problem("about:blank", status.phrase, status, detail), headers)


def _validated(request: Request, location: Sequence[str | int]) -> type[BaseModel] | None:
    """The model of what a request sent as its body or its query; None where there is none."""
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return None
    dependant = route.dependant
    for field in dependant.query_params if location[0] == "query" else dependant.body_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
    return None


def _place(request: Request, field: str) -> str:
    if field in request.path_params:
        return "path"
    return "query" if request.method in {"GET", "HEAD"} else "body"
