"""What the page shows when the service fails, or requires a key."""

import json
from collections.abc import Callable

import pytest
from browser_page import OpenPage, recommended
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser


def problem(status: int, name: str, title: str, detail: str) -> Callable[[Route], None]:
    body = json.dumps({"type": f"urn:matinee:{name}", "title": title, "status": status, "detail": detail})
    return lambda route: route.fulfill(status=status, content_type="application/problem+json", body=body)


def change_user(page: Page, user_id: str) -> None:
    page.fill("#user-id", user_id)
    expect(page.locator("h1")).to_have_text(f"User {user_id}")


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (lambda route: route.abort("connectionrefused"), "The service cannot be reached"),
        (problem(503, "no-bundle", "No bundle", "CURRENT is missing"), "not ready yet"),
        (problem(503, "queue-full", "Busy", "1,000 requests wait"), "The service is busy"),
        (problem(504, "deadline-exceeded", "Too late", "no answer within 5 s"), "took too long"),
        (lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"), "The service answered 502"),
    ],
)
def test_an_error_is_shown_in_words_with_a_button_to_try_again(
    failure: Callable[[Route], None], words: str, open_page: OpenPage
) -> None:
    page = open_page("#view=user&user=42")
    before = recommended(page)
    page.route("**/recommend", failure)
    change_user(page, "7")
    alert = page.locator("#recommended-notice").get_by_role("alert")
    expect(alert).to_contain_text(words)
    assert page.locator("#recommended .title").all_text_contents() == before
    page.unroute("**/recommend")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_have_count(0)
    expect(page.locator("h1")).to_be_focused()  # the button is removed
    assert recommended(page) != before


def test_a_service_without_a_bundle_is_reported_on_an_empty_page(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    for path in ("**/users?*", "**/model"):
        page.route(path, problem(503, "no-bundle", "No bundle", "its bundle is still being loaded"))
    page.reload()
    expect(page.locator("#model-notice").get_by_role("alert")).to_contain_text("still loading")
    page.get_by_role("link", name="Someone else").click()
    alert = page.locator("#recommended-notice").get_by_role("alert")
    expect(alert).to_contain_text("still loading")
    page.unroute("**/users?*")
    page.unroute("**/model")
    alert.get_by_role("button", name="Try again").click()
    assert recommended(page)
    expect(page.locator("#genres label")).not_to_have_count(0)


def test_a_required_key_is_prompted_for_and_kept_in_memory_only(open_page: OpenPage) -> None:
    refuse = problem(401, "key-missing", "Unauthorized", "expected X-API-Key")
    page = open_page("#view=model")

    def guard(route: Route) -> None:
        if route.request.headers.get("x-api-key") == "open sesame":
            route.continue_()
        else:
            refuse(route)

    page.route(lambda url: not url.endswith("/") and "/web/" not in url, guard)
    page.goto(page.url.partition("#")[0])
    page.reload()
    dialog = page.get_by_role("dialog", name="This service requires a key")
    expect(dialog).to_be_visible()
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("The service refused this key.")
    page.fill("#key", "open sesame")
    page.keyboard.press("Enter")
    assert recommended(page)
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]
    assert "sesame" not in page.url
    page.reload()
    expect(dialog).to_be_visible()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_role("alert").first).to_contain_text("requires a key")
