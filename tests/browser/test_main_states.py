"""Accessibility and layout of every main state of the page, light and dark, narrow and wide.

PICTURES names a directory for the README's screenshots, PICTURES_OF the artifacts that they show.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from browser_page import OpenPage, overflow_px, recommended, violations
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

MOST_BYTES = 300_000


def known_user(page: Page) -> None:
    page.get_by_role("link", name="Someone else").click()
    recommended(page)
    expect(page.locator("#history > li")).not_to_have_count(0)
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()


def filters(page: Page) -> None:
    known_user(page)
    page.click("#controls-box > summary")
    page.click("#details > summary")
    page.locator("#genres input").first.check(force=True)
    page.locator("#diversity").fill("0.4")
    expect(page.locator("#no-filters")).to_be_visible()
    known_user(page)


def you(page: Page) -> None:
    recommended(page)
    rows = page.locator("#rate-search li")
    for row, stars in ((0, 5), (3, 5), (1, 4)):
        rows.nth(row).get_by_role("radio").nth(stars - 1).check(force=True)
    expect(page.locator("#rated > li")).to_have_count(3)
    expect(page.locator("#source")).to_have_text("from your stars")
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()


def you_without_ratings(page: Page) -> None:
    expect(page.locator("#source")).to_have_text("popular")


def movie(page: Page) -> None:
    known_user(page)
    page.click("#recommended .title >> nth=0")
    expect(page.locator("#similar > li")).to_have_count(10)


def model(page: Page) -> None:
    page.get_by_role("link", name="How good?").click()
    expect(page.locator("#model-facts div")).not_to_have_count(0)


def unknown_user(page: Page) -> None:
    known_user(page)
    page.fill("#user-id", "nobody")
    expect(page.locator("#history-notice .notice")).to_be_visible()
    recommended(page)


def failure(page: Page) -> None:
    known_user(page)
    page.route("**/recommend", lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Random user").click()
    expect(page.locator(".problem").first).to_be_visible()


def key(page: Page) -> None:
    known_user(page)
    page.route("**/recommend", lambda route: route.fulfill(status=401, json={}))
    page.reload()
    expect(page.get_by_role("dialog")).to_be_visible()


STATES = [known_user, filters, you, you_without_ratings, movie, model, unknown_user, failure, key]
PICTURED = {
    ("you", "light", 1280),
    ("you", "dark", 360),
    ("known_user", "dark", 1280),
    ("movie", "light", 1280),
    ("model", "light", 1280),
}


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 360), ("dark", 360), ("light", 1280), ("dark", 1280), ("light", 1600)]
)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_state_fits_the_window_and_is_accessible(
    state: Callable[[Page], None],
    scheme: Literal["light", "dark"],
    width: int,
    open_page: OpenPage,
    tmp_path: Path,
) -> None:
    page = open_page(width=width, height=740 if width == 360 else 800, color_scheme=scheme)
    state(page)
    page.mouse.move(0, 0)
    assert overflow_px(page) == 0
    assert violations(page) == []
    if (state.__name__, scheme, width) in PICTURED:
        path = Path(os.environ.get("PICTURES", tmp_path)) / f"{state.__name__}-{scheme}-{width}.png"
        page.screenshot(path=path, animations="disabled")
        assert 10_000 < path.stat().st_size < MOST_BYTES
