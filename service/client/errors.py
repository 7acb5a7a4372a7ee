"""What the client raises of an answer that is none.

AnswerError                 any status of 400 and above
├── NotFound          404   no such movie, title, user or path; `suggestions` where a title was misspelt
├── NotAllowed        401, 403   a key is missing, or is not for this
├── InvalidRequest    413, 422   malformed, out of range or too large; `errors` names the fields
└── Unavailable       503   no bundle is served, or too many wait; `retry_after_seconds` says how long

Where there is no answer at all httpx raises its own `TransportError`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from service.http.problem_details import FieldError, Problem, SuggestedMovie


class AnswerError(Exception):
    """The service answered with an error; the attributes are those of its problem details.

    Attributes:
        status: HTTP status.
        type: A name that programs can rely on, such as `urn:matinee:unknown-movie`.
        title: What kind of error it is, for people.
        detail: What was expected, what came, how to fix it.
        errors: Fields that are wrong, if any.
        suggestions: Movies that may have been meant, if any.
        request_id: `X-Request-ID` of the answer, to find it in the service's log; None where there is none.
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
    """A key is missing, or is not for this."""


class InvalidRequest(AnswerError):
    """The request is malformed, out of range or too large."""


class Unavailable(AnswerError):
    """Nothing can be answered now; `retry_after_seconds` is what the service asks to wait, else 0."""

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
    """Raises the `AnswerError` of a response, if it is one."""
    if not response.is_error:
        return
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:  # from a proxy in between
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
    """`Retry-After`, a number of seconds or a date (RFC 9110, 10.2.3); what is neither is no wait."""
    try:
        return max(float(retry_after), 0)
    except ValueError:
        pass
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0)
    except (TypeError, ValueError):
        return 0
