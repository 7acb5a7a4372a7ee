"""Stars that are kept as an account, and films that are not for you, with a store of feedback."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs

import pytest
from browser_page import OpenPage, opening, overflow_px, recommended, violations
from markup_titles import with_markup
from playwright.sync_api import Browser, Dialog, Locator, Page, Request, Route, expect
from service_process import ServiceProcess, running_service

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def live_service(
    browser: Browser,  # noqa: ARG001 starts nothing without a browser
    tiny_artifacts: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ServiceProcess]:
    directory = tmp_path_factory.mktemp("account")
    artifacts = with_markup(tiny_artifacts, directory / "artifacts")
    with running_service(artifacts, directory / "log", store=str(directory / "feedback.sqlite3")) as service:
        service.wait_until_ready()
        yield service


@pytest.fixture
def open_page(browser: Browser, live_service: ServiceProcess) -> Iterator[OpenPage]:
    with opening(browser, str(live_service.client.base_url)) as open_page:
        yield open_page


RATED = "#view=you&rated=5:m17&rated=2:m18"


def with_account(open_page: OpenPage, address: str = RATED, **options: Any) -> Page:
    page = open_page(address, **options)
    page.get_by_role("button", name="Keep my stars").click()
    expect(page.locator("#account-says")).to_contain_text("The service keeps your stars")
    wait_until_kept(page)
    expect(page.locator("#rated > li")).to_have_count(2)  # whose titles are loaded: nothing moves any more
    return page


def wait_until_kept(page: Page) -> None:
    page.wait_for_function("() => JSON.parse(localStorage.matinee).events.length === 0")


def link_of(page: Page) -> str:
    return page.get_by_role("link", name="Your own link").get_attribute("href") or ""


def id_of(page: Page) -> str:
    return parse_qs(link_of(page).removeprefix("#"))["as"][0]


def kept(service: ServiceProcess, user_id: str) -> dict[tuple[str, str], float | None]:
    items = service.client.get(f"/users/{user_id}/feedback", params={"limit": 500}).json()["items"]
    return {(item["movie_id"], item["type"]): item["value"] for item in items}


def of_account(service: ServiceProcess, user_id: str) -> list[str]:
    answer = service.client.post("/recommend", json={"user_id": user_id}).raise_for_status().json()
    return [item["display_title"] for item in answer["items"]]


def shown(page: Page) -> Locator:
    return page.locator("#recommended .title")


def accept(page: Page) -> list[str]:
    """Agree to what the page asks next; the list takes what that is."""
    asked: list[str] = []

    def agree(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.accept()

    page.once("dialog", agree)
    return asked


def give(page: Page, movie_id: str, stars: int) -> None:
    row = page.locator(f"#rated li[data-key={movie_id}]")
    # Not check: a star that is not kept is taken back.
    row.get_by_role("radio", name=f"{stars} of 5 stars").click(force=True)


def away(route: Route) -> None:
    problem = {"type": "urn:matinee:store-away", "title": "No store of feedback", "status": 503}
    body = json.dumps(problem | {"detail": "store/feedback.sqlite3: disk I/O error"})
    route.fulfill(status=503, content_type="application/problem+json", body=body)


def test_stars_are_moved_up_once_and_are_there_after_a_reload(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    user_id = id_of(page)
    assert re.fullmatch(r"\d+(-\d+){3}", user_id)
    expect(page.locator("#source")).to_have_text("from your stars")
    assert kept(live_service, user_id) == {("m17", "rating"): 5, ("m18", "rating"): 2}
    assert page.url.endswith("#view=you")
    page.reload()
    expect(page.locator("#rated .title")).to_have_text(["Movie 18", "Movie 17"])
    expect(page.locator("#rated").get_by_role("radio", name="2 of 5 stars").first).to_be_checked()
    assert recommended(page) == of_account(live_service, user_id)
    assert id_of(page) == user_id
    assert user_id not in page.url


def test_the_first_star_makes_an_account_that_is_there_when_one_comes_back(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = open_page()
    recommended(page)
    assert page.evaluate("localStorage.length") == 0
    popular, title = recommended(page)[:2]
    row = page.locator("#recommended li").nth(1)
    row.get_by_role("radio", name="5 of 5 stars").click(force=True)
    expect(page.locator("#rated .title")).to_have_text([title])
    expect(page.locator("#source")).to_have_text("from your stars")
    expect(page.locator("#account-says")).to_contain_text("The service keeps your stars")
    wait_until_kept(page)
    user_id = id_of(page)
    assert list(kept(live_service, user_id).values()) == [5]
    expect(shown(page)).to_have_text(of_account(live_service, user_id))
    assert user_id not in page.url
    page.goto(str(live_service.client.base_url))
    expect(page.locator("#rated .title")).to_have_text([title])
    page.click("#clear")
    expect(shown(page).first).to_have_text(popular)
    page.click("#undo")
    expect(page.locator("#rated .title")).to_have_text([title])


def test_the_own_link_opens_the_account_in_another_browser_which_asks_and_hides_the_id(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    other = open_page()
    recommended(other)
    asked = accept(other)
    other.evaluate("hash => { location.hash = hash; }", link_of(page))
    expect(other.locator("#rated .title")).to_have_text(["Movie 18", "Movie 17"])
    assert "It has 2 films." in asked[0]
    assert other.url.endswith("#view=you")
    assert other.evaluate("history.state") is None
    give(other, "m18", 5)
    expect(shown(other)).to_have_text(of_account(live_service, id_of(page)))
    page.reload()
    expect(page.locator("#rated").get_by_role("radio", name="5 of 5 stars", checked=True)).to_have_count(2)


def test_an_account_of_a_link_that_is_declined_is_not_opened(open_page: OpenPage) -> None:
    page = open_page("#view=you&as=mine")  # Playwright dismisses what a page asks
    expect(page.locator("#account-says")).to_contain_text("under a random id")
    assert page.url.endswith("#view=you")
    assert page.evaluate("localStorage.length") == 0


def test_an_id_of_ones_own_has_what_is_known_of_it_and_takes_the_stars_of_before(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    event = {"user_id": "app user/1", "movie_id": "m19", "type": "rating", "value": 4}
    live_service.client.post("/feedback", json={"events": [event]}).raise_for_status()
    page = open_page(RATED)
    recommended(page)
    asked = accept(page)
    page.evaluate("() => { location.hash += '&as=app+user/1'; }")
    expect(page.locator("#rated .title")).to_have_text(["Movie 18", "Movie 17", "Movie 19"])
    assert "“app user/1”" in asked[0]
    assert "It has 1 film." in asked[0]


def test_each_star_counts_in_the_list_and_one_that_is_removed_does_not(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    user_id = id_of(page)
    before = of_account(live_service, user_id)
    expect(shown(page)).to_have_text(before)
    give(page, "m18", 5)
    expect(shown(page)).not_to_have_text(before)
    expect(shown(page)).to_have_text(of_account(live_service, user_id))
    page.get_by_role("button", name="Remove Movie 18").click()
    expect(page.locator("#rated > li")).to_have_count(1)
    page.click("#undo")
    expect(page.locator("#rated > li")).to_have_count(2)
    page.click("#clear")
    expect(page.locator("#rated > li")).to_have_count(0)
    page.reload()
    expect(page.locator("#rated-empty")).to_be_visible()
    expect(page.locator("#rated > li")).to_have_count(0)


@pytest.mark.parametrize("has_account", [True, False])
def test_a_film_that_is_not_for_you_goes_at_once_and_stays_away_until_undone(
    has_account: bool, open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page) if has_account else open_page(RATED)
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()
    first, second, *_ = recommended(page)
    page.get_by_role("button", name=f"Not for me: {first}", exact=True).click()
    assert second == shown(page).first.text_content()  # before any answer
    expect(page.get_by_role("button", name="Undo").last).to_be_focused()
    expect(page.locator("#toast")).to_contain_text(first)
    expect(shown(page)).to_have_count(10)  # another one in its place
    page.reload()
    assert first not in recommended(page)
    page.get_by_role("button", name=f"Not for me: {second}", exact=True).click()
    expect(shown(page).first).not_to_have_text(second)
    page.click("#toast-undo")
    expect(shown(page).first).to_have_text(second)
    expect(page.locator("#toast")).to_be_hidden()
    page.get_by_text("Not for you: 1 film").click()
    expect(page.locator("#hidden-films .title")).to_have_text([first])
    page.get_by_role("button", name=f"Show again: {first}").click()
    expect(shown(page).first).to_have_text(first)
    expect(page.locator("#hidden-box")).to_be_hidden()
    if has_account:
        page.reload()
        assert recommended(page)[0] == first
        assert of_account(live_service, id_of(page))[0] == first


def test_what_was_hidden_before_is_moved_up_with_the_stars(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = open_page(RATED)
    hidden = recommended(page)[2]
    page.get_by_role("button", name=f"Not for me: {hidden}", exact=True).click()
    expect(shown(page).nth(2)).not_to_have_text(hidden)
    page.get_by_role("button", name="Keep my stars").click()
    expect(page.locator("#account-says")).to_contain_text("The service keeps your stars")
    wait_until_kept(page)
    user_id = id_of(page)
    assert [type_ for _, type_ in kept(live_service, user_id)].count("hide") == 1
    assert hidden not in of_account(live_service, user_id)


def test_films_of_the_most_rated_list_can_be_hidden_too(open_page: OpenPage) -> None:
    page = open_page("#view=you")
    first, second, *_ = recommended(page)
    page.get_by_role("button", name=f"Not for me: {first}", exact=True).click()
    expect(shown(page).first).to_have_text(second)
    expect(shown(page)).to_have_count(10)


def test_another_users_list_has_nothing_to_hide(open_page: OpenPage) -> None:
    page = open_page("#view=user&user=42")
    recommended(page)
    expect(page.get_by_role("button", name="Not for me")).to_have_count(0)


def test_a_star_that_cannot_be_kept_is_marked_counts_and_is_sent_later(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    expect(page.locator("#source")).to_have_text("from your stars")
    before = recommended(page)
    user_id = id_of(page)
    page.route("**/feedback", away)
    give(page, "m18", 5)
    expect(page.locator("#rated li").filter(has_text="not kept yet")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 change not kept yet")).to_contain_text(
        "Nothing can be kept now"
    )
    expect(page.locator("#account")).not_to_contain_text("sqlite")
    expect(shown(page)).not_to_have_text(before)
    assert kept(live_service, user_id)["m18", "rating"] == 2
    page.reload()  # it waits in the browser
    expect(page.locator("#rated").get_by_role("radio", name="5 of 5 stars", checked=True)).to_have_count(2)
    expect(page.locator("#rated li").filter(has_text="not kept yet")).to_have_count(1)
    page.unroute("**/feedback")
    page.get_by_role("button", name="Try now").click()
    expect(page.locator("#unkept")).to_be_hidden()
    assert kept(live_service, user_id)["m18", "rating"] == 5
    expect(shown(page)).to_have_text(of_account(live_service, user_id))


def test_without_the_network_nothing_is_lost_either(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Remove Movie 18").click()
    expect(page.locator("#unkept")).to_contain_text("1 change not kept yet. The service cannot be reached")
    page.context.set_offline(False)
    expect(page.locator("#unkept")).to_be_hidden()
    assert ("m18", "rating") not in kept(live_service, id_of(page))


@pytest.mark.parametrize("trained_on", [False, True])
def test_who_is_forgotten_is_told_whether_a_model_had_them(
    trained_on: bool, open_page: OpenPage, live_service: ServiceProcess
) -> None:
    if trained_on:
        page = open_page()
        recommended(page)
        accept(page)
        page.evaluate("() => { location.hash = 'view=you&as=7'; }")
        expect(page.locator("#rated > li")).not_to_have_count(0)
    else:
        page = with_account(open_page)
    user_id = id_of(page)
    asked = accept(page)
    page.get_by_role("button", name="Forget me").click()
    words = "trained with your stars" if trained_on else "trained without you"
    expect(page.locator("#account-notice")).to_contain_text(words)
    assert "Forget you?" in asked[0]
    expect(page.locator("#rated > li")).to_have_count(0)
    expect(page.locator("#account")).to_be_focused()
    assert page.evaluate("localStorage.length") == 0
    assert kept(live_service, user_id) == {}
    assert live_service.client.get(f"/users/{user_id}").status_code == 404


def test_nobody_is_forgotten_while_the_store_is_away(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    page = with_account(open_page)
    page.route(
        "**/users/*", lambda route: away(route) if route.request.method == "DELETE" else route.continue_()
    )
    accept(page)
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#account-notice")).to_contain_text("Nothing can be kept now")
    expect(page.locator("#rated > li")).to_have_count(2)
    assert len(kept(live_service, id_of(page))) == 2


def test_what_was_shown_and_what_became_of_it_is_told_with_the_answers_id(
    open_page: OpenPage, live_service: ServiceProcess
) -> None:
    posted: list[dict[str, Any]] = []
    page = with_account(open_page)

    def note(request: Request) -> None:
        if request.url.endswith("/feedback"):
            posted.extend(json.loads(request.post_data or "")["events"])

    page.on("request", note)
    with page.expect_request("**/feedback"):
        pass
    events = posted[:]
    assert [(event["type"], event["rank"]) for event in events] == [
        ("impression", rank) for rank in range(1, 11)
    ]
    assert len({event["recommendation_id"] for event in events}) == 1
    page.wait_for_timeout(1_200)
    assert len(posted) == 10  # once
    title = recommended(page)[3]
    page.fill("#rate-query", title)
    row = page.locator("#rate-search li").filter(has=page.get_by_role("link", name=title, exact=True))
    row.get_by_role("radio", name="4 of 5 stars").check(force=True)
    expect(page.locator("#rated > li")).to_have_count(3)
    wait_until_kept(page)
    [rating] = [event for event in posted if event["type"] == "rating"]
    assert (rating["rank"], rating["recommendation_id"]) == (4, events[0]["recommendation_id"])
    expect(shown(page)).to_have_text(of_account(live_service, id_of(page)))
    shown(page).first.click()
    expect(page.locator("#facts")).to_contain_text("You would give")
    [click] = [event for event in posted if event["type"] == "click"]
    assert click["rank"] == 1
    counted = live_service.client.get("/metrics").text
    for type_ in ("impression", "rating", "click"):
        assert re.search(rf'recommended_events_total\{{[^}}]*type="{type_}"[^}}]*\}} [1-9]', counted)


def test_a_list_that_came_with_a_link_is_shown_beside_the_account(open_page: OpenPage) -> None:
    page = with_account(open_page)
    page.evaluate("() => { location.hash = 'view=you&rated=5:m40'; }")
    expect(page.locator("#rated .title")).to_contain_text(["Movie 40"])
    expect(page.locator("#account-says")).to_contain_text("came with a link")
    page.click("#clear")
    expect(page.locator("#rated > li")).to_have_count(2)


def test_a_service_that_only_apps_may_write_to_says_so(open_page: OpenPage) -> None:
    def closed(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"feedback": "write-key"})

    page = open_page(RATED)
    page.route("**/model", closed)
    page.reload()
    expect(page.locator("#account")).to_contain_text("Your stars stay in this browser")
    expect(page.get_by_role("button", name="Keep my stars")).to_be_hidden()
    first = recommended(page)[0]
    page.get_by_role("button", name=f"Not for me: {first}", exact=True).click()
    page.reload()
    assert first not in recommended(page)


def test_without_a_store_there_is_no_account_and_films_are_hidden_in_the_browser(
    open_page: OpenPage,
) -> None:
    def off(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | {"feedback": "off"})

    page = with_account(open_page)
    page.route("**/model", off)
    page.reload()
    expect(page.locator("#source")).to_have_text("popular")
    expect(page.locator("#rated > li")).to_have_count(0)
    expect(page.locator("#account")).to_be_hidden()
    first, second, *_ = recommended(page)
    page.get_by_role("button", name=f"Not for me: {first}", exact=True).click()
    expect(shown(page).first).to_have_text(second)
    page.reload()
    assert recommended(page)[0] == second


def account(page: Page) -> None:
    page.get_by_role("button", name="Keep my stars").click()
    expect(page.get_by_role("link", name="Your own link")).to_be_visible()
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()


def hidden(page: Page) -> None:
    account(page)
    page.get_by_role("button", name="Not for me").nth(1).click()
    page.get_by_text("Not for you: 1 film").click()
    expect(page.locator("#hidden-films > li")).to_have_count(1)
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()


def unkept(page: Page) -> None:
    account(page)
    page.route("**/feedback", away)
    give(page, "m18", 4)
    expect(page.locator("#unkept")).to_be_visible()


def forgotten(page: Page) -> None:
    account(page)
    accept(page)
    page.get_by_role("button", name="Forget me").click()
    expect(page.locator("#account-notice")).to_contain_text("You are forgotten")


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 360), ("dark", 360), ("light", 1280), ("dark", 1280)]
)
@pytest.mark.parametrize("state", [account, hidden, unkept, forgotten], ids=lambda state: state.__name__)
def test_a_state_fits_the_window_and_is_accessible(
    state: Callable[[Page], None], scheme: Literal["light", "dark"], width: int, open_page: OpenPage
) -> None:
    page = open_page(RATED, width=width, height=740 if width == 360 else 800, color_scheme=scheme)
    recommended(page)
    state(page)
    page.mouse.move(0, 0)
    assert overflow_px(page) == 0
    assert violations(page) == []


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page(RATED)
    recommended(page)

    def tab_to(locator: Locator, key: str = "Tab") -> None:
        for _ in range(120):
            page.keyboard.press(key)
            if locator.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"the {key} key does not lead to {locator}")

    tab_to(page.get_by_role("button", name="Keep my stars"))
    page.keyboard.press("Enter")
    expect(page.locator("#account")).to_be_focused()
    expect(page.locator("#recommended .why:not(:empty)").first).to_be_visible()
    first = recommended(page)[0]
    tab_to(page.get_by_role("button", name=f"Not for me: {first}", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#toast-undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#recommended")).to_be_focused()
    expect(shown(page).first).to_have_text(first)
    tab_to(page.get_by_role("button", name=f"Not for me: {first}", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("#hidden-box")).to_be_visible()
    tab_to(page.locator("#hidden-box summary"), "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page.get_by_role("button", name=f"Show again: {first}"))
    page.keyboard.press("Enter")
    expect(page.locator("#rate-query")).to_be_focused()
    accept(page)
    tab_to(page.get_by_role("button", name="Forget me"))
    page.keyboard.press("Enter")
    expect(page.locator("#account-notice")).to_contain_text("You are forgotten")
