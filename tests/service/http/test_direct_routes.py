"""Ordinary requests are answered ahead of the router, and every other one exactly as without that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field
from starlette.middleware import Middleware

from service.errors import QueueFull, UnknownMovie
from service.http.direct_routes import DirectRoute, DirectRoutes
from service.http.problems import install_problems

JSON = {"Content-Type": "application/json"}


class Sent(BaseModel):
    """A body."""

    number: int = Field(ge=0)
    error: str = ""


class Seen(BaseModel):
    """How often the router was reached."""

    routed: int = 0


async def double(body: Sent, request: Request) -> Response:
    """Twice the number."""
    assert request.url.path == "/double"
    if body.error == "unknown":
        raise UnknownMovie("no such movie", field="number")
    if body.error == "full":
        raise QueueFull("too many")
    return Response(json.dumps({"doubled": 2 * body.number}), media_type="application/json")


def app_of(seen: Seen, *, is_direct: bool) -> FastAPI:
    router = APIRouter(route_class=DirectRoute)
    router.post("/double")(double)

    class Counting:
        """Inside of what is under test: the way to the router."""

        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.routed += scope["type"] == "http"
            await self._app(scope, receive, send)

    routes = router.routes if is_direct else []
    app = FastAPI(
        middleware=[Middleware(DirectRoutes, routes=routes, max_bytes=60), Middleware(Counting)],
    )
    app.router.routes.extend(router.routes)
    install_problems(app)
    return app


def ask(app: FastAPI, method: str, path: str, **request: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, **request)

    return asyncio.run(asked())


def test_an_ordinary_request_never_reaches_the_router() -> None:
    seen = Seen()
    answer = ask(app_of(seen, is_direct=True), "POST", "/double", json={"number": 21})
    assert (answer.status_code, answer.json(), seen.routed) == (200, {"doubled": 42}, 0)


@pytest.mark.parametrize("error", ["unknown", "full"])
def test_errors_of_the_endpoint_are_answered_as_by_the_router(error: str) -> None:
    sent = {"number": 1, "error": error}
    direct, routed = (
        ask(app_of(Seen(), is_direct=is_direct), "POST", "/double", json=sent) for is_direct in (True, False)
    )
    assert direct.status_code == routed.status_code >= 400
    assert direct.json() == routed.json()
    assert direct.headers.get("retry-after") == routed.headers.get("retry-after")


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("/double", {"content": b'{"number": -1}', "headers": JSON}),
        ("/double", {"content": b'{"number": 1', "headers": JSON}),
        ("/double", {"content": b"\xff", "headers": JSON}),
        ("/double", {"content": b'"\\ud800"', "headers": JSON}),
        ("/double", {"content": b"", "headers": JSON}),
        ("/double", {"content": b'{"number": 1}', "headers": {"Content-Type": "text/plain"}}),
        ("/double", {"content": b'{"number": 1}', "headers": {"Content-Type": "application/merge+json"}}),
        ("/double", {"content": b'{"number": 1}'}),
        ("/double", {"content": b'{"number": 1,' + b" " * 60 + b'"error":""}', "headers": JSON}),
        ("/double?number=3", {"content": b'{"number": 1}', "headers": JSON}),
        ("/other", {"content": b'{"number": 1}', "headers": JSON}),
    ],
)
def test_what_is_not_ordinary_is_answered_by_the_router(path: str, request_: dict[str, Any]) -> None:
    seen = Seen()
    direct = ask(app_of(seen, is_direct=True), "POST", path, **request_)
    routed = ask(app_of(Seen(), is_direct=False), "POST", path, **request_)
    assert seen.routed == 1
    assert (direct.status_code, direct.content) == (routed.status_code, routed.content)


def test_another_method_is_answered_by_the_router() -> None:
    seen = Seen()
    assert ask(app_of(seen, is_direct=True), "GET", "/double").status_code == 405
    assert seen.routed == 1


def test_a_body_in_parts_is_whole_where_it_arrives() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b'{"num', b'ber": 2', b"1}"):
            yield part

    seen = Seen()
    headers = JSON | {"Content-Length": "14"}
    answer = ask(app_of(seen, is_direct=True), "POST", "/double", content=parts(), headers=headers)
    assert (answer.status_code, answer.json(), seen.routed) == (200, {"doubled": 42}, 0)
