"""The page where the bundle was trained on watches without ratings."""

from collections.abc import Iterator

import pytest
from browser_page import OpenPage, opening, recommended
from playwright.sync_api import Browser, expect
from service_process import ServiceProcess, running_service
from tiny_bundle import write_tiny_bundle
from tiny_model import TinyModel, unrated, watches_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def watches_service(
    browser: Browser,  # noqa: ARG001 starts nothing without a browser
    tiny: TinyModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    directory = tmp_path_factory.mktemp("watches")
    write_tiny_bundle(directory / "artifacts", watches_of(tiny), "watches-1", has_ratings=False)
    with running_service(directory / "artifacts", directory / "log") as service:
        service.wait_until_ready()
        yield service


@pytest.fixture
def open_page(browser: Browser, watches_service: ServiceProcess) -> Iterator[OpenPage]:
    with opening(browser, str(watches_service.client.base_url)) as open_page:
        yield open_page


def test_a_known_user_has_no_stars_and_one_order(open_page: OpenPage) -> None:
    page = open_page("#view=user&user=42")
    assert recommended(page)
    expect(page.locator("#history .film").first).to_be_visible()
    expect(page.locator(".stars:visible")).to_have_count(0)
    expect(page.locator("#ranks")).to_be_hidden()
    expect(page.locator("#history-summary")).not_to_contain_text("stars")


def test_films_are_marked_as_seen(open_page: OpenPage, watches_service: ServiceProcess) -> None:
    page = open_page("#view=you")
    page.fill("#rate-query", "movie 17 ")
    row = page.locator("#rate-search li").filter(has=page.get_by_role("link", name="Movie 17", exact=True))
    row.get_by_role("radio", name="seen").check(force=True)
    body = {"history": unrated([{"movie_id": "m17", "rating": 1}])}
    items = watches_service.client.post("/recommend", json=body).raise_for_status().json()["items"]
    expect(page.locator("#recommended .title")).to_have_text([item["display_title"] for item in items])
    expect(page.locator(".stars:visible")).to_have_count(0)


def test_a_film_has_facts_without_predictions(open_page: OpenPage) -> None:
    page = open_page("#view=movie&movie=m17&user=42&rated=1:m3")
    expect(page.locator("#facts")).to_contain_text("Rated by")
    expect(page.locator("#facts")).not_to_contain_text("would give")
    expect(page.locator("#similar .film")).to_have_count(10)
    expect(page.locator(".stars:visible")).to_have_count(0)
