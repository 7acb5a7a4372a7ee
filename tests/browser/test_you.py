"""The view of a new user: search, ratings, a list that becomes personal."""

import pytest
from browser_page import OpenPage, recommended
from markup_titles import SCRIPT_TITLE
from playwright.sync_api import Page, expect
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
    return [item["title"] for item in items]


def test_the_list_follows_each_rating_and_undo_and_clear_revert_it(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you")
    shown, badge = page.locator("#recommended .title"), page.locator("#recommended .badge").first
    popular = recommended(page)
    expect(badge).to_have_text("popular")
    expect(page.locator("#undo")).to_be_disabled()
    find(page, "movie 17 ")
    give(page, "Movie 17 (1917)", 5)
    first = personal(service, ("m17", 5))
    expect(shown).to_have_text(first)
    expect(badge).to_have_text("from your stars")
    find(page, "movie 118")
    give(page, "Movie 118 (2018)", 1)
    second = personal(service, ("m17", 5), ("m118", 1))
    assert second != first
    expect(shown).to_have_text(second)
    expect(page.locator("#rated .title")).to_have_text(["Movie 118 (2018)", "Movie 17 (1917)"])
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


def test_a_link_shares_the_list(open_page: OpenPage) -> None:
    page = open_page("#view=you")
    find(page, "movie 17 ")
    give(page, "Movie 17 (1917)", 4)
    expect(page.locator("#recommended .badge").first).to_have_text("from your stars")
    shown = recommended(page)
    other = open_page("#" + page.url.partition("#")[2])
    assert recommended(other) == shown
    expect(other.locator("#rated .title")).to_have_text(["Movie 17 (1917)"])
    expect(other.locator("#rated").get_by_role("radio", name="4 of 5 stars")).to_be_checked()
    assert other.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_a_link_with_the_former_name_of_the_view_still_works(open_page: OpenPage) -> None:
    page = open_page("#view=stranger&rated=5:m17")
    expect(page.locator("#rated .title")).to_have_text(["Movie 17 (1917)"])


def test_an_unknown_film_of_a_link_changes_nothing_and_can_be_removed(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=you&rated=5:none&rated=5:m17")
    assert recommended(page) == personal(service, ("m17", 5))
    expect(page.locator("#rated .title")).to_have_text(["Movie 17 (1917)", "Unknown film none"])
    page.get_by_role("button", name="Remove Unknown film none").click()
    expect(page.locator("#rated .title")).to_have_text(["Movie 17 (1917)"])
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
    page = open_page()
    recommended(page)

    def tab_to(name: str) -> None:
        for _ in range(60):
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
    expect(page.locator("#recommended .badge").first).to_have_text("from your stars")
    assert page.evaluate("document.activeElement.value") == "3"
    assert page.evaluate("document.activeElement.closest('li').dataset.key") == first
    tab_to("Undo")
    page.keyboard.press("Enter")
    expect(page.locator("#rated").get_by_role("radio", name="2 of 5 stars")).to_be_checked()
    tab_to("Clear")
    page.keyboard.press("Enter")
    expect(page.locator("#rated > li")).to_have_count(0)
