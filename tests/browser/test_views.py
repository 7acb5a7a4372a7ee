"""The views of a film and of the model, and navigation."""

import re

import pytest
from browser_page import OpenPage, recommended
from playwright.sync_api import expect
from service_process import ServiceProcess

pytestmark = pytest.mark.browser


def test_a_film_has_similar_films_and_predictions_for_the_user_and_for_you(
    open_page: OpenPage, service: ServiceProcess
) -> None:
    page = open_page("#view=movie&movie=m17&user=42&rated=5:m18")
    expect(page.locator("h1")).to_have_text("Movie 17 (1917)")
    similar = service.client.get("/movies/m17/similar?k=10").json()["items"]
    expect(page.locator("#similar .title")).to_have_text([film["title"] for film in similar])
    cosines = [
        float(text.removeprefix("cosine ")) for text in page.locator("#similar .score").all_inner_texts()
    ]
    assert cosines == pytest.approx([film["score"] for film in similar], abs=0.0051)
    for who, user in (
        ("User 42", {"user_id": "42"}),
        ("You", {"history": [{"movie_id": "m18", "rating": 5}]}),
    ):
        stars = service.client.post("/predict_rating", json=user | {"movie_id": "m17"}).json()[
            "predicted_rating"
        ]
        fact = page.locator("#facts > div").filter(has_text=re.compile(f"^{who} would give"))
        assert float(fact.locator(".number").inner_text()) == pytest.approx(stars, abs=0.051)


def test_another_user_can_be_chosen_in_the_view_of_a_film(open_page: OpenPage) -> None:
    page = open_page("#view=movie&movie=m17")
    expect(page.locator("h1")).to_have_text("Movie 17 (1917)")
    page.fill("#movie-user-id", "7")
    expect(page.locator("#facts")).to_contain_text("User 7 would give")
    expect(page.locator("#movie-user-id")).to_be_focused()


def test_an_unknown_film_shows_a_notice_and_is_requested_once(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(page.url.partition("#")[0] + "#view=movie&movie=none")
    expect(page.locator("#movie-notice")).to_contain_text("No film here has this id")
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
    expect(page.locator("h1")).to_have_text("Movie 17 (1917)")
    expect(alert).to_have_count(0)


@pytest.mark.parametrize("movie_id", ["", "🎬", "a\0b"])
def test_any_text_is_an_id_of_a_film(movie_id: str, open_page: OpenPage, service: ServiceProcess) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in movie_id.encode())
    page = open_page(f"#view=movie&movie={quoted}")
    expect(page.locator("h1")).to_have_text(service.client.get(f"/movies/{quoted}").json()["title"])


def test_navigation_to_a_film_and_back_focuses_the_heading(open_page: OpenPage) -> None:
    page = open_page("#view=user&user=42")
    title = recommended(page)[0]
    page.click("#recommended .title >> nth=0")
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("h1")).to_be_focused()
    assert page.title() == f"{title} · Matinee"
    expect(page.get_by_role("link", name="A film")).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.locator("h1")).to_have_text("User 42")
    assert recommended(page)[0] == title


def test_the_model_is_shown_with_its_bundle_and_age(open_page: OpenPage) -> None:
    page = open_page("#view=model")
    expect(page.locator("#model-facts")).to_contain_text("tiny-1")
    expect(page.locator("#model-facts")).to_contain_text(
        re.compile(r"\d+ days, made (Jan 1, 2025|Dec 31, 2024)")
    )


def test_metrics_are_shown_beside_the_baselines_and_the_best_is_bold_where_it_differs(
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
    page.get_by_role("link", name="The model").click()
    expect(page.locator("#quality-summary")).to_contain_text(
        "The temporal split: 20 ratings held out, 80 trained on, mean of 3 seeds."
    )
    rows = page.locator("#quality tbody tr")
    expect(rows.locator("th")).to_have_text(
        ["NDCG@10", re.compile("^RMSE, stars"), "recall@20", re.compile("^hit rate@10, row.s own time")]
    )
    expect(page.locator("#quality thead th")).to_have_text(["Matinee", "EASE", "biases"])
    expect(rows.locator("strong")).to_have_text(["0.2600", "0.9000"])
