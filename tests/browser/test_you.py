"""The view of a new user: search, ratings, a list that becomes personal."""

import re

import pytest
from browser_page import OpenPage, recommended
from markup_titles import SCRIPT_TITLE
from playwright.sync_api import Page, Route, expect
from service_process import ServiceProcess

pytestmark = pytest.mark.browser


def find(page: Page, typed: str) -> None:
    page.fill("#rate-query", typed)
    expect(page.locator("#rate-query-heading")).to_contain_text(" film")


def give(page: Page, title: str, stars: int) -> None:
    row = page.locator("#rate-search li").filter(has=page.get_by_role("link", name=title, exact=True))
    row.get_by_role("radio", name=f"{stars} of 5 stars").check(force=True)


def personal(service: ServiceProcess, *rated: tuple[str, int]) -> list[str]:
    history = [{"movie_id": movie_id, "rating": stars} for movie_id, stars in rated]
    items = service.client.post("/recommend", json={"history": history}).raise_for_status().json()["items"]
    return [item["display_title"] for item in items]


def test_the_list_follows_each_rating_and_undo_and_clear_revert_it(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you")
    shown, badge = page.locator("#recommended .title"), page.locator("#source")
    popular = recommended(page)
    expect(badge).to_have_text("popular")
    expect(page.locator("#undo")).to_be_disabled()
    find(page, "movie 17 ")
    give(page, "Movie 17", 5)
    first = personal(service, ("m17", 5))
    expect(shown).to_have_text(first)
    expect(badge).to_have_text("from your stars")
    find(page, "movie 118")
    give(page, "Movie 118", 1)
    second = personal(service, ("m17", 5), ("m118", 1))
    assert second != first
    expect(shown).to_have_text(second)
    expect(page.locator("#rated .title")).to_have_text(["Movie 118", "Movie 17"])
    page.click("#undo")
    expect(shown).to_have_text(first)
    page.click("#clear")
    expect(shown).to_have_text(popular)
    expect(page.locator("#rate-query")).to_be_focused()
    page.click("#undo")
    expect(shown).to_have_text(first)
    page.go_back()
    expect(shown).to_have_text(popular)


def test_a_rating_can_be_changed_and_removed(open_page: OpenPage, service: ServiceProcess) -> None:
    page = open_page("#view=you&rated=5:m17&rated=2:m18&rated=4:m19")
    shown = page.locator("#recommended .title")
    expect(shown).to_have_text(personal(service, ("m17", 5), ("m18", 2), ("m19", 4)))
    row = page.locator("#rated li").filter(has_text="Movie 18")
    row.get_by_role("radio", name="5 of 5 stars").check(force=True)
    expect(shown).to_have_text(personal(service, ("m17", 5), ("m18", 5), ("m19", 4)))
    page.get_by_role("button", name="Remove Movie 18").click()
    expect(shown).to_have_text(personal(service, ("m17", 5), ("m19", 4)))
    expect(page.get_by_role("button", name="Remove Movie 17")).to_be_focused()


def test_the_page_opens_with_films_to_tap_and_the_list_of_what_most_have_seen(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page()
    popular = service.client.get("/popular").json()["items"]
    assert recommended(page) == [film["display_title"] for film in popular]
    for row, film in zip(page.locator("#recommended li").all(), popular, strict=True):
        # Python and JavaScript round a half differently.
        assert float(row.locator(".number").inner_text()) == pytest.approx(film["mean_rating"], abs=0.051)
        expect(row.locator(".stars")).to_contain_text("mean")
    expect(page.locator("h1")).to_have_text("What will you watch next?")
    cards = page.locator("#rate-search li")
    expect(cards).to_have_count(8)
    first = cards.locator(".title").all_text_contents()
    page.get_by_role("button", name="Others").click()
    expect(cards.locator(".title").first).not_to_have_text(first[0])
    others = service.client.get("/movies?limit=8&offset=8").json()["items"]
    expect(cards.locator(".title")).to_have_text([film["display_title"] for film in others])


def test_stars_on_a_recommendation_take_it_to_your_stars_until_undone(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you&rated=5:m17")
    shown = page.locator("#recommended .title")
    before = recommended(page)
    row = page.locator("#recommended li").nth(2)
    movie_id = row.get_attribute("data-key") or ""
    row.get_by_role("radio", name="4 of 5 stars").click(force=True)  # which takes the row away
    expect(shown).to_have_text(personal(service, ("m17", 5), (movie_id, 4)))
    expect(page.locator("#rated .title")).to_have_text([before[2], "Movie 17"])
    page.click("#toast-undo")
    expect(shown).to_have_text(before)
    expect(page.locator("#rated .title")).to_have_text(["Movie 17"])


def test_stars_on_a_recommendation_are_given_by_keyboard_when_they_are_chosen(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you&rated=5:m17")
    before = recommended(page)
    row = page.locator("#recommended li").nth(2)
    movie_id = row.get_attribute("data-key") or ""
    row.get_by_role("radio").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(row.get_by_role("radio", name="4 of 5 stars")).to_be_checked()
    assert recommended(page) == before
    page.keyboard.press("Enter")
    expect(page.locator("#recommended .title")).to_have_text(personal(service, ("m17", 5), (movie_id, 4)))
    expect(page.locator("#recommended")).to_be_focused()


def test_the_list_says_how_each_film_moved(open_page: OpenPage) -> None:
    page = open_page("#view=you&rated=5:m17&rated=5:m18&rated=4:m19")
    before = recommended(page)
    find(page, "movie 118")
    give(page, "Movie 118", 1)
    expect(page.locator("#recommended .title")).not_to_have_text(before)
    after = recommended(page)
    assert set(before) & set(after)
    for row, title in zip(page.locator("#recommended li").all(), after, strict=True):
        up = before.index(title) - after.index(title) if title in before else None
        moved = "new" if up is None else f"▲ {up}" if up > 0 else f"▼ {-up}" if up < 0 else ""
        expect(row.locator(".moved")).to_have_text(moved)


def test_on_a_telephone_a_bar_above_the_fold_says_what_the_stars_did(open_page: OpenPage) -> None:
    page = open_page(width=390, height=664)
    recommended(page)
    bar = page.locator("#bar")
    expect(bar).to_be_in_viewport()
    page.locator("#rate-search li").first.get_by_role("radio", name="5 of 5 stars").check(force=True)
    expect(page.locator("#source")).to_have_text("from your stars")
    expect(bar).to_contain_text(f"First: {recommended(page)[0]}")
    expect(bar).to_be_in_viewport()
    page.get_by_role("button", name="See the list").click()
    expect(page.locator("#recommended-heading")).to_be_focused()
    expect(page.locator("#recommended-heading")).to_be_in_viewport()


def test_what_is_not_in_the_catalogue_is_told_with_the_years_that_are(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page()
    page.fill("#rate-query", "zzzzzz")
    years = service.client.get("/genres").json()["years"]
    expect(page.locator("#rate-search .notice")).to_contain_text(
        f"Films here are from {years['first']} to {years['last']}."
    )


def test_lists_have_a_shape_while_they_load(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    waiting: list[Route] = []

    def delay(route: Route) -> None:
        waiting.append(route)

    page.route(re.compile("/(popular|movies)[?]"), delay)
    page.goto(page.url.partition("#")[0] + "#view=you")
    for each in ("#recommended", "#rate-search .films"):
        box = page.locator(each).bounding_box()
        assert box is not None
        assert box["height"] > 100
    expect(page.locator("#recommended")).to_have_attribute("aria-busy", "true")
    page.wait_for_timeout(200)
    for route in waiting:
        route.continue_()
    assert recommended(page)


def test_a_link_shares_the_list(open_page: OpenPage) -> None:
    page = open_page("#view=you")
    find(page, "movie 17 ")
    give(page, "Movie 17", 4)
    expect(page.locator("#source")).to_have_text("from your stars")
    shown = recommended(page)
    other = open_page("#" + page.url.partition("#")[2])
    assert recommended(other) == shown
    expect(other.locator("#rated .title")).to_have_text(["Movie 17"])
    expect(other.locator("#rated").get_by_role("radio", name="4 of 5 stars")).to_be_checked()
    assert other.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_link_with_the_former_name_of_the_view_still_works(open_page: OpenPage) -> None:
    page = open_page("#view=stranger&rated=5:m17")
    expect(page.locator("#rated .title")).to_have_text(["Movie 17"])


def test_an_unknown_film_of_a_link_changes_nothing_and_can_be_removed(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you&rated=5:none&rated=5:m17")
    assert recommended(page) == personal(service, ("m17", 5))
    expect(page.locator("#rated .title")).to_have_text(["Movie 17", "No longer here: none"])
    page.get_by_role("button", name="Remove No longer here: none").click()
    expect(page.locator("#rated .title")).to_have_text(["Movie 17"])
    expect(page.locator(".problem")).to_have_count(0)


def test_a_title_that_is_markup_is_shown_as_text(open_page: OpenPage) -> None:
    page = open_page("#view=you")
    find(page, "script")
    give(page, SCRIPT_TITLE, 5)
    expect(page.locator("#rated .title")).to_have_text([SCRIPT_TITLE])
    reasons = page.locator("#recommended .why").filter(has_text=f"Because of {SCRIPT_TITLE}")
    expect(reasons).not_to_have_count(0)
    page.click("#rated .title")
    expect(page.locator("h1")).to_have_text(SCRIPT_TITLE)
    assert page.locator("main script, main img").count() == 0


def test_the_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    expect(page.locator("#model-facts div")).not_to_have_count(0)

    def tab_to(name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "(document.activeElement.ariaLabel ?? document.activeElement.labels?.[0]?.textContent)"
                " || document.activeElement.textContent"
            )
            if focused == name:
                return
        raise AssertionError(f"the Tab key does not lead to {name!r}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    tab_to("You")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_focused()
    tab_to("Find films you know")
    page.keyboard.type("movie 17 ")
    expect(page.locator("#rate-query-heading")).to_contain_text(" film")
    tab_to("1 of 5 stars")
    first = page.evaluate("document.activeElement.closest('li').dataset.key")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#source")).to_have_text("from your stars")
    assert page.evaluate("document.activeElement.value") == "3"
    assert page.evaluate("document.activeElement.closest('li').dataset.key") == first
    tab_to("Undo")
    page.keyboard.press("Enter")
    expect(page.locator("#rated").get_by_role("radio", name="2 of 5 stars")).to_be_checked()
    tab_to("Clear")
    page.keyboard.press("Enter")
    expect(page.locator("#rated > li")).to_have_count(0)
