"""The views of a film and of the model, and navigation."""

import re

import pytest
from browser_page import OpenPage, recommended
from playwright.sync_api import Route, expect
from service_process import ServiceProcess

pytestmark = pytest.mark.browser


def test_a_film_has_similar_films_and_predictions_for_the_user_and_for_you(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=movie&movie=m17&user=42&rated=5:m18")
    expect(page.locator("h1")).to_have_text("Movie 17")
    similar = service.client.get("/movies/m17/similar?k=10").json()["items"]
    expect(page.locator("#similar .title")).to_have_text([film["display_title"] for film in similar])
    for row, film in zip(page.locator("#similar li").all(), similar, strict=True):
        if film["mean_rating"] is None:
            expect(row.locator(".stars")).to_be_hidden()
        else:
            number = row.locator(".number").inner_text()
            assert float(number) == pytest.approx(film["mean_rating"], abs=0.051)
            expect(row.locator(".stars")).to_contain_text("mean")
    for who, user in (
        ("User 42", {"user_id": "42"}),
        ("You", {"history": [{"movie_id": "m18", "rating": 5}]}),
    ):
        stars = service.client.post("/predict_rating", json=user | {"movie_id": "m17"}).json()[
            "predicted_rating"
        ]
        fact = page.locator("#facts > div").filter(has_text=re.compile(f"^{who} would give"))
        assert float(fact.locator(".number").inner_text()) == pytest.approx(stars, abs=0.051)


def test_stars_can_be_given_in_the_view_of_a_film(open_page: OpenPage) -> None:
    page = open_page("#view=movie&movie=m17")
    page.locator("#your-stars").get_by_role("radio", name="4 of 5 stars").check(force=True)
    expect(page.locator("#facts")).to_contain_text("You would give")
    page.get_by_role("link", name="You", exact=True).click()
    expect(page.locator("#rated .title")).to_have_text(["Movie 17"])


def test_a_title_is_as_people_say_it_and_that_of_the_catalogue_one_click_away(open_page: OpenPage) -> None:
    def retitled(route: Route) -> None:
        document = route.fetch().json()
        names = {
            "title": "Godfather: Part II, The (1974)",
            "display_title": "The Godfather: Part II",
            "year": 1974,
        }
        for film in document.get("items", [document]):
            film.update(names)
        route.fulfill(json=document)

    page = open_page("#view=model")
    page.route(re.compile("/(recommend|movies/m[0-9]+)$"), retitled)
    page.goto(page.url.partition("#")[0] + "#view=user&user=42")
    expect(page.locator("#recommended .title").first).to_have_text("The Godfather: Part II")
    expect(page.locator("#recommended .genres").first).to_contain_text("1974")
    page.click("#details summary")
    expect(page.locator("#recommended .score").first).to_contain_text("“Godfather: Part II, The (1974)”")
    page.click("#recommended .title >> nth=0")
    expect(page.locator("h1")).to_have_text("The Godfather: Part II")
    expect(page.locator("#facts")).to_contain_text("Godfather: Part II, The (1974)")


def test_an_unknown_film_shows_a_notice_and_is_requested_once(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(page.url.partition("#")[0] + "#view=movie&movie=none")
    expect(page.locator("#movie-notice")).to_contain_text("This film is not here")
    expect(page.locator("#film-facts")).to_be_hidden()
    page.wait_for_timeout(300)
    assert sum(url.endswith("/movies/none") for url in requested) == 1


def test_a_film_that_failed_to_load_can_be_tried_again(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    page.route("**/movies/m17", lambda route: route.abort("connectionrefused"))
    page.goto(page.url.partition("#")[0] + "#view=movie&movie=m17")
    alert = page.locator("#movie-notice").get_by_role("alert")
    expect(alert).to_contain_text("cannot be reached")
    page.unroute("**/movies/m17")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("h1")).to_have_text("Movie 17")
    expect(alert).to_have_count(0)


@pytest.mark.parametrize("movie_id", ["", "🎬", "a\0b"])
def test_any_text_is_an_id_of_a_film(movie_id: str, open_page: OpenPage, service: ServiceProcess) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in movie_id.encode())
    page = open_page(f"#view=movie&movie={quoted}")
    expect(page.locator("h1")).to_have_text(service.client.get(f"/movies/{quoted}").json()["display_title"])


def test_navigation_to_a_film_and_back_focuses_the_heading(open_page: OpenPage) -> None:
    page = open_page("#view=user&user=42")
    title = recommended(page)[0]
    page.click("#recommended .title >> nth=0")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("h1")).to_be_focused()
    assert page.title() == f"{title} · Matinee"
    expect(page.get_by_role("link", name="Films")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator("h1")).to_have_text("User 42")
    assert recommended(page)[0] == title


def test_the_model_is_shown_with_its_bundle_and_when_it_was_made(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    expect(page.locator("#model-facts")).to_contain_text("tiny-1")
    expect(page.locator("#model-facts")).to_contain_text(re.compile("Made(Jan 1, 2025|Dec 31, 2024)"))


def test_measures_are_bars_of_one_scale_and_ours_is_marked_where_it_is_better_beyond_chance(
    open_page: OpenPage,
) -> None:
    page = open_page("")
    recommended(page)

    def measured(route):  # type: ignore[no-untyped-def] # Playwright finds out how many arguments it takes
        document = route.fetch().json()
        document["metrics"] = {
            "split": "temporal",
            "train_ratings": 80,
            "test_ratings": 20,
            "seeds": [42, 43, 44],
            "model": {"ndcg_at_10": 0.25, "rmse": 0.9, "recall_at_20": 0.2, "hit_rate_at_10_with_time": 0.2},
            "baselines": {"ease": {"ndcg_at_10": 0.26, "recall_at_20": 0.19}, "biases": {"rmse": 1.0}},
            "differences": {
                "ease": {
                    "ndcg_at_10": {"difference": -0.01, "low": -0.02, "high": -0.001},
                    "recall_at_20": {"difference": 0.01, "low": -0.001, "high": 0.02},
                },
                "biases": {"rmse": {"difference": -0.1, "low": -0.2, "high": -0.05}},
            },
        }
        route.fulfill(json=document)

    page.route("**/model", measured)
    page.get_by_role("link", name="How good?").click()
    expect(page.locator("#quality-summary")).to_contain_text(
        "20 ratings kept apart, 80 trained on, mean of 3 trainings."
    )
    sections = page.locator("#quality section")
    expect(sections.locator("h2")).to_have_text(
        ["Covered by twenty", "Good order", "Error of predicted stars"]
    )
    expect(sections.nth(0).locator("li")).to_have_text(["Matinee20.0 %", "EASE19.0 %"])
    expect(sections.nth(1).locator("li")).to_have_text(["Matinee0.250", "EASE0.260"])
    expect(sections.nth(2).locator("li")).to_have_text(["Matinee0.900 ✓", "mean ratings1.000"])
    widths = (
        sections.nth(0)
        .locator(".bar")
        .evaluate_all("bars => bars.map(bar => bar.style.getPropertyValue('--filled'))")
    )
    assert [float(width.removesuffix("%")) for width in widths] == pytest.approx([100, 95])
