"""Send requests to an application in this process, without a port, from synchronous tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

import httpx
from anyio.from_thread import start_blocking_portal
from fastapi import FastAPI

Ask = Callable[..., httpx.Response]
"""`ask("POST", "/recommend", json={...})`, with the arguments of `httpx.AsyncClient.request`."""


@contextmanager
def asking(app: FastAPI) -> Iterator[Ask]:
    """Run an application in an event loop of a thread; yield a function that sends requests to it."""

    @asynccontextmanager
    async def client() -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://service") as client,
        ):
            yield client

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(client()) as running:

        def ask(method: str, path: str, **arguments: Any) -> httpx.Response:
            return portal.call(partial(running.request, method, path, **arguments))

        yield ask
