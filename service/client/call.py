"""One request as a value, the same for the sync and the async client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import httpx

from service.client.errors import raise_for_problem

T = TypeVar("T")

Parameters = Mapping[str, str | int | None]
"""Of a query; those that are None are left out."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the type of its answer.

    Attributes:
        method: HTTP method.
        path: Quoted, from the base URL on.
        decode: Makes the answer of the body of a good one.
        params: Query parameters.
        body: JSON body, if any.
        is_retried: Whether to ask again where a 503 comes or nobody listens.
        is_for_operators: Whether it wants an operator's key.
    """

    method: Literal["GET", "POST"]
    path: str
    decode: Callable[[bytes], T]
    params: Parameters = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    is_retried: bool = True
    is_for_operators: bool = False

    def request(self, http: httpx.Client | httpx.AsyncClient, admin_key: str | None = None) -> httpx.Request:
        """The request that httpx sends, with the key of an operator where it wants one and there is one."""
        params = {name: value for name, value in self.params.items() if value is not None}
        headers = key_header(admin_key if self.is_for_operators else None)
        return http.build_request(self.method, self.path, params=params, json=self.body, headers=headers)

    def read(self, response: httpx.Response) -> T:
        """The answer.

        Raises:
            AnswerError: The service answered an error.
        """
        raise_for_problem(response)
        return self.decode(response.content)


def key_header(key: str | None) -> dict[str, str]:
    """The header that a key is sent in, if there is one."""
    return {} if key is None else {"X-API-Key": key}
