"""Exceptions of the client, by HTTP status.

AnswerError                      any status of 400 and above
├── NotFound          404        no such movie, title, user or path; `suggestions` for a misspelt title
├── NotAllowed        401, 403   the key is missing or does not allow this
├── InvalidRequest    413, 422   malformed, out of range or too large; `errors` names the fields
└── Unavailable       503        no bundle is served, or the queue is full; see `retry_after_seconds`

Without a response httpx raises its own `TransportError`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from matinee_client.answers import FieldError, Problem, SuggestedMovie


class AnswerError(Exception):
    """The response is an error; the attributes are those of its problem details.

    Attributes:
        status: HTTP status.
        type: A stable name for programs, such as `urn:matinee:unknown-movie`.
        title: The kind of error, for people.
        detail: What was expected, what was received, how to fix it.
        errors: Invalid fields, if any.
        suggestions: Movies with the closest titles, if any.
        request_id: `X-Request-ID` of the response, to find it in the service's log; None if absent.
    """

    def __init__(self, problem: Problem, *, request_id: str | None = None) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.status: int = problem.status
        self.type: str = problem.type
        self.title: str = problem.title
        self.detail: str = problem.detail
        self.errors: list[FieldError] = problem.errors
        self.suggestions: list[SuggestedMovie] = problem.suggestions
        self.request_id = request_id


class NotFound(AnswerError):
    """No such movie, title, user or path."""


class NotAllowed(AnswerError):
    """The key is missing or does not allow this."""


class InvalidRequest(AnswerError):
    """The request is malformed, out of range or too large."""


class Unavailable(AnswerError):
    """The service cannot answer now; `retry_after_seconds` is from `Retry-After`, 0 if absent."""

    def __init__(self, problem: Problem, *, request_id: str | None = None, retry_after: str = "0") -> None:
        super().__init__(problem, request_id=request_id)
        self.retry_after_seconds = _seconds(retry_after)


_CLASSES: dict[int, type[AnswerError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    413: InvalidRequest,
    422: InvalidRequest,
}


def raise_for_problem(response: httpx.Response) -> None:
    """Raise the `AnswerError` of an error response; do nothing for a successful one."""
    if not response.is_error:
        return
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:  # not from the service, but from a proxy
        problem = Problem(
            type="about:blank",
            title=response.reason_phrase,
            status=response.status_code,
            detail=response.text[:1_000],
        )
    request_id = response.headers.get("x-request-id")
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        retry_after = response.headers.get("retry-after", "0")
        raise Unavailable(problem, request_id=request_id, retry_after=retry_after)
    raise _CLASSES.get(response.status_code, AnswerError)(problem, request_id=request_id)


def _seconds(retry_after: str) -> float:
    """Parse `Retry-After`, a number of seconds or a date (RFC 9110, 10.2.3); 0 if it is neither."""
    try:
        return max(float(retry_after), 0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0)
    except (TypeError, ValueError):
        return 0
