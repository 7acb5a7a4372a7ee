"""OpenAPI document with this service's error media type and its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from service.http.fitted_examples import ExampleValues, fitted, prefill_parameters
from service.http.keys import Keys
from service.http.problem_details import MEDIA_TYPE

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_SCHEMES = {
    "X-API-Key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A client or admin key.",
    },
    "Bearer": {"type": "http", "scheme": "bearer", "description": "The same key as a bearer token."},
}


def install_openapi(app: FastAPI, keys: Keys, values: Callable[[], ExampleValues | None]) -> None:
    """Make the app's OpenAPI document.

    Added to FastAPI's are the media type of errors, the operations that need a key, and examples.

    Args:
        app: Whose `openapi` becomes the document as it is shown.
        keys: Say what needs one.
        values: Of the bundle that is served, for the examples; None where none is.
    """
    fastapi_openapi = app.openapi

    @lru_cache(maxsize=1)
    def of_bundle(served: ExampleValues | None) -> dict[str, Any]:
        return plain() if served is None else fitted(plain(), served)

    def openapi() -> dict[str, Any]:
        return of_bundle(values())

    def plain() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = fastapi_openapi()
            _document_keys(document, keys)
            _document_media_type(document)
            _document_former_names(document)
            prefill_parameters(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI documents this as the way to extend it


def _document_keys(document: dict[str, Any], keys: Keys) -> None:
    guarded = [
        operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if keys.kind_for(path, method.upper())
    ]
    for operation in guarded:
        operation["security"] = [{name: []} for name in _SCHEMES]
        for status in _REFUSALS:
            content = {"application/json": {"schema": _PROBLEM}}
            operation["responses"][str(int(status))] = {"description": status.phrase, "content": content}
    if guarded:
        document["components"]["securitySchemes"] = _SCHEMES


def _document_media_type(document: Mapping[str, Any]) -> None:
    for response in _responses(document):
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema") == _PROBLEM:
            content[MEDIA_TYPE] = content.pop("application/json")


def _document_former_names(document: Mapping[str, Any]) -> None:
    """Say of parameters themselves that they are deprecated; FastAPI says it of their schemas."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["schema"].pop("deprecated", False):
                    parameter["deprecated"] = True


def _responses(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].values()
