"""A visit in Firefox: each view works, fits the window and is accessible; Chromium tries the details."""

import json
import os
import shutil
from collections.abc import Iterator

import pytest
from browser_page import axe_source
from firefox_process import Firefox, running_firefox
from service_process import ServiceProcess

pytestmark = pytest.mark.browser

_FIREFOX = os.environ.get("FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
TELEPHONE = (385, 640)
DESKTOP = (1280, 700)
RIGHT, ENTER = "\ue014", "\ue007"


@pytest.fixture(scope="module", params=["light", "dark"])
def firefox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    if _FIREFOX is None:
        pytest.skip("Firefox is not installed (Debian: apt-get install firefox-esr), and FIREFOX names none")
    with running_firefox(_FIREFOX, tmp_path_factory.mktemp("firefox") / "profile", request.param) as firefox:
        yield firefox


def open_page(firefox: Firefox, service: ServiceProcess, address: str, size: tuple[int, int]) -> None:
    page = str(service.client.base_url)
    firefox.open(f"{page}/web/page.js", *size)  # so that the address alone does not load the page anew
    firefox.run("localStorage.clear()")
    firefox.open(f"{page}/{address}", *size)
    firefox.run("window.failed = []; addEventListener('error', ({message}) => failed.push(message));")


def listed(firefox: Firefox, selector: str = "#recommended .title") -> list[str]:
    firefox.wait_for("document.querySelector('#recommended:not([aria-busy]) > li')")
    found: list[str] = firefox.run(
        "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)", selector
    )
    return found


def assert_sound(firefox: Firefox) -> None:
    """No script failed, nothing is wider than the window, and axe-core finds nothing."""
    assert firefox.run("return window.failed") == []
    root = "document.documentElement"
    assert firefox.run(f"return {root}.scrollWidth - {root}.clientWidth") == 0
    firefox.run(axe_source())
    violations = firefox.run_async(
        "axe.run(document, {resultTypes: ['violations']}).then(({violations}) => arguments[0]("
        "violations.map(({id, nodes}) => [id, nodes.map(({html}) => html)])))"
    )
    assert violations == []


@pytest.mark.parametrize("size", [TELEPHONE, DESKTOP], ids=["telephone", "desktop"])
def test_stars_move_the_list_and_the_recommendations_take_stars(
    size: tuple[int, int], firefox: Firefox, service: ServiceProcess
) -> None:
    open_page(firefox, service, "#view=you", size)
    popular = listed(firefox)
    assert_sound(firefox)
    firefox.click("#rate-search li label:last-child")
    firefox.wait_for("document.querySelector('#source').textContent === 'from your stars'")
    movie_id = firefox.run("return document.querySelector('#rated li').dataset.key")
    body = {"history": [{"movie_id": movie_id, "rating": 5}]}
    items = service.client.post("/recommend", json=body).raise_for_status().json()["items"]
    assert listed(firefox) == [item["display_title"] for item in items] != popular
    assert_sound(firefox)
    title = items[1]["display_title"]
    firefox.type("#recommended li:nth-child(2) [type=radio]", RIGHT * 3 + ENTER)  # the fourth star
    firefox.wait_for("document.querySelectorAll('#rated li').length === 2")
    assert title in listed(firefox, "#rated .title")
    assert firefox.run("return document.querySelector('#rated [type=radio]:checked').value") == "4"
    firefox.click("#recommended .quiet")
    firefox.wait_for("document.activeElement.id === 'toast-undo'")
    assert_sound(firefox)


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("#view=user&user=42", "#recommended .why:not(:empty)"),
        ("#view=movie&movie=m17&user=42", "#similar li"),
        ("#view=model", "#model-facts div"),
        ("#view=you&rated=5:m17&from=9000", "#recommended-notice .notice"),
    ],
)
@pytest.mark.parametrize("size", [TELEPHONE, DESKTOP], ids=["telephone", "desktop"])
def test_a_view_is_shown_and_accessible(
    address: str, there: str, size: tuple[int, int], firefox: Firefox, service: ServiceProcess
) -> None:
    open_page(firefox, service, address, size)
    firefox.wait_for(f"document.querySelector({json.dumps(there)})")
    assert_sound(firefox)
