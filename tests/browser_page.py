"""Open pages in a browser, and record errors and requests to other hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

OpenPage = Callable[..., Page]
"""`open_page("#view=model", width=360)`, with the arguments of `Browser.new_context`."""

_AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"
_FAILED_REQUEST = "Failed to load resource"  # Chromium's message for a status of 400 and above


@contextmanager
def opening(browser: Browser, base_url: str) -> Iterator[OpenPage]:
    contexts, pages, wrong = [], [], list[str]()

    def open_page(address: str = "", *, width: int = 1280, height: int = 800, **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, **{"reduced_motion": "reduce"} | options
        )
        contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                wrong.append(f"{message.type}: {message.text}")
                if message.type in {"error", "warning"} and not message.text.startswith(_FAILED_REQUEST)
                else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(base_url) else wrong.append(f"requested {request.url}")
            ),
        )
        page.goto(f"{base_url}/{address}")
        return page

    try:
        yield open_page
        assert not any(page.evaluate("window.ran") for page in pages), "a title was run as script"
        assert wrong == []
    finally:
        for context in contexts:
            context.close()


@cache
def axe_source() -> str:
    """Return axe-core's script; skip the test where it is not installed."""
    if not _AXE.exists():
        pytest.skip("axe-core is not installed: run `make test-browser`")
    return _AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """Return the accessibility violations that axe-core finds in a page."""
    page.evaluate(axe_source())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], "axe-core checked nothing"
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]


def overflow_px(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def recommended(page: Page) -> list[str]:
    """Return the titles of the list of recommendations once it is loaded."""
    page.wait_for_selector("#recommended:not([aria-busy]) > li")
    return page.locator("#recommended .title").all_text_contents()
