"""A request as a value, shared by the sync and the async client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import httpx

from matinee_client.answer_errors import raise_for_problem

T = TypeVar("T")

Parameters = Mapping[str, str | int | Sequence[str] | None]
"""Query parameters; None values are omitted, a sequence is repeated."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request and the type of its answer.

    Attributes:
        method: HTTP method.
        path: Percent-encoded, relative to the base URL.
        decode: Parses the body of a successful response.
        params: Query parameters.
        body: JSON body, if any.
        lines: NDJSON body, if any.
        is_retried: Whether to retry after a 503 or a refused connection.
        needs_admin_key: Whether the endpoint needs the admin key.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    decode: Callable[[bytes], T]
    params: Parameters = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    lines: bytes | None = None
    is_retried: bool = True
    needs_admin_key: bool = False

    def request(self, http: httpx.Client | httpx.AsyncClient, admin_key: str | None = None) -> httpx.Request:
        """Build the httpx request, with the admin key if the endpoint needs it and there is one."""
        params = {name: value for name, value in self.params.items() if value is not None}
        headers = key_header(admin_key if self.needs_admin_key else None)
        if self.lines is not None:
            headers |= {"Content-Type": "application/x-ndjson"}
        return http.build_request(
            self.method, self.path, params=params, json=self.body, content=self.lines, headers=headers
        )

    def read(self, response: httpx.Response) -> T:
        """Parse the response.

        Raises:
            AnswerError: The response is an error.
        """
        raise_for_problem(response)
        return self.decode(response.content)


def key_header(key: str | None) -> dict[str, str]:
    """Return the headers that carry a key, none if it is None."""
    return {} if key is None else {"X-API-Key": key}
