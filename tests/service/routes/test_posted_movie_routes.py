"""Movies that apps put: new ones in the next request, known ones described otherwise."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from service_client import Ask, asking
from tiny_bundle import write_tiny_bundle
from tiny_model import MOVIE_IDS, NUM_CANDIDATES, TinyModel, title_of

from service.app import create_app
from service.schemas.movies import MovieAnswer, MoviesAnswer, SimilarAnswer
from service.schemas.put_movies import PutMovieAnswer, PutMoviesAnswer
from service.schemas.recommendations import RecommendAnswer
from service.settings import Settings

NEW = {"title": "Quartz Zeppelin (2500)", "genres": ["drama", "Balloons"]}


@pytest.fixture(params=["auto", "annoy"])
def settings(tiny_artifacts: Path, store_setting: str, request: pytest.FixtureRequest) -> Settings:
    return Settings(artifacts=tiny_artifacts, store=store_setting, index=request.param)


@pytest.fixture
def ask_live(settings: Settings) -> Iterator[Ask]:
    """Send requests to an application with a store, of each kind of database, with an index and without."""
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def put(ask: Ask, movie_id: str, **given: Any) -> dict[str, Any]:
    answer = ask("PUT", f"/movies/{quote(movie_id, safe='')}", json=given)
    assert answer.status_code == 200, answer.text
    PutMovieAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    return document


def recommended(ask: Ask, **fields: Any) -> dict[str, float]:
    """Scores by id, best first."""
    answer = ask("POST", "/recommend", json={"user_id": "42", "k": 500} | fields)
    RecommendAnswer.model_validate_json(answer.content, strict=True)
    return {item["movie_id"]: item["score"] for item in answer.json()["items"]}


def rate(ask: Ask, movie_id: str, stars: float) -> dict[str, Any]:
    event = {"user_id": "42", "movie_id": movie_id, "type": "rating", "value": stars}
    document: dict[str, Any] = ask("POST", "/feedback", json={"events": [event]}).json()
    return document


def test_a_new_movie_is_in_its_place_in_the_next_request(ask_live: Ask, tiny: TinyModel) -> None:
    before = recommended(ask_live)
    answer = put(ask_live, "new", **NEW)
    assert answer | {"position": 0} == {
        "movie_id": "new",
        "title": "Quartz Zeppelin (2500)",
        "display_title": "Quartz Zeppelin",
        "genres": ["Drama", "Balloons"],
        "year": 2500,
        "available": True,
        "known": False,
        "recommendable": True,
        "position": 0,
    }
    score = float(tiny.place(2500, 2) @ tiny.embed("42", tiny.seen("42", []), None))
    after = recommended(ask_live)
    assert after == before | {"new": score}
    assert [*after.values()] == sorted(after.values(), reverse=True)
    assert [movie_id for movie_id in after if movie_id != "new"] == [*before]
    stars = ask_live("GET", "/predict_rating?user_id=42&movie_id=new").json()
    assert stars["predicted_rating"] == pytest.approx(np.clip(3 + score / 16, 1, 5))
    by_title = {"user_id": "42", "movie_title": NEW["title"]}
    assert ask_live("GET", "/predict_rating", params=by_title).json() == stars


def test_pages_of_lists_with_a_new_movie_fit_together(ask_live: Ask) -> None:
    put(ask_live, "new", **NEW)
    whole = [*recommended(ask_live)]
    pages = [
        movie_id for start in range(0, 250, 25) for movie_id in recommended(ask_live, k=25, offset=start)
    ]
    assert pages == whole
    for fields in ({"rank_by": "rating"}, {"rank_by": "blend"}, {"diversity": 0.5}, {"explain": True}):
        assert "new" in recommended(ask_live, **fields)
    assert "new" in recommended(ask_live, explore=1.0)


def test_a_new_movie_is_found_filtered_and_similar_to_others(ask_live: Ask) -> None:
    put(ask_live, "new", **NEW)
    found = ask_live("GET", "/movies?query=quarz zepelin")
    MoviesAnswer.model_validate_json(found.content, strict=True)
    assert [item["movie_id"] for item in found.json()["items"]] == ["new"]
    assert ask_live("GET", "/movies?limit=500").json()["total"] == NUM_CANDIDATES + 1
    shown = ask_live("GET", "/movies/new")
    MovieAnswer.model_validate_json(shown.content, strict=True)
    assert (shown.json()["num_ratings"], shown.json()["mean_rating"]) == (0, None)
    assert {"genre": "Balloons", "num_movies": 1} in ask_live("GET", "/genres").json()["items"]
    assert [*recommended(ask_live, filter={"genres_any": ["balloons"]})] == ["new"]
    assert [*recommended(ask_live, filter={"year_min": 2500})] == ["new"]
    assert [*recommended(ask_live, filter={"movie_ids": ["new"]})] == ["new"]
    assert "new" not in recommended(ask_live, filter={"genres_none": ["Drama"]})
    similar = ask_live("GET", "/movies/new/similar?k=1")
    SimilarAnswer.model_validate_json(similar.content, strict=True)
    twin = MOVIE_IDS[2500 % NUM_CANDIDATES]
    assert [item["movie_id"] for item in similar.json()["items"]] == [twin]
    backwards = ask_live("GET", f"/movies/{twin}/similar?k=1").json()["items"]
    assert [item["movie_id"] for item in backwards] == ["new"]


def test_a_rated_new_movie_is_seen_and_kept_but_not_yet_read_by_the_model(ask_live: Ask) -> None:
    put(ask_live, "new", **NEW)
    before = recommended(ask_live)
    assert rate(ask_live, "new", 5)["unknown_movies"] == []
    after = recommended(ask_live)
    assert after == {movie_id: score for movie_id, score in before.items() if movie_id != "new"}
    [last] = ask_live("GET", "/users/42?limit=1").json()["items"]
    assert (last["movie_id"], last["title"], last["rating"]) == ("new", NEW["title"], 5)
    assert recommended(ask_live, exclude_seen=False)["new"] == before["new"]
    explained = ask_live("POST", "/recommend", json={"user_id": "42", "k": 3, "explain": True}).json()
    assert all(each["movie_id"] != "new" for item in explained["items"] for each in item["because"])
    sent = [{"movie_id": "new", "rating": 5}]
    answer = ask_live("POST", "/recommend", json={"history": sent, "k": 500}).json()
    assert (answer["source"], "new" in {item["movie_id"] for item in answer["items"]}) == ("popular", False)
    event = {"user_id": "nobody before", "movie_id": "new", "type": "watch"}
    ask_live("POST", "/feedback", json={"events": [event]})
    assert "new" not in recommended(ask_live, user_id="nobody before")


def test_feedback_that_came_before_its_movie_takes_effect_with_it(ask_live: Ask) -> None:
    assert rate(ask_live, "new", 2)["unknown_movies"] == ["new"]
    put(ask_live, "new", **NEW)
    assert "new" not in recommended(ask_live)
    assert ask_live("GET", "/users/42?limit=1").json()["items"][0]["rating"] == 2


def test_a_new_movie_is_withdrawn_and_shown_again_with_what_was_given(ask_live: Ask) -> None:
    put(ask_live, "new", **NEW)
    before = recommended(ask_live)
    answer = ask_live("DELETE", "/movies/new").json()
    assert (answer["available"], answer["recommendable"], answer["title"]) == (False, False, NEW["title"])
    assert "new" not in recommended(ask_live)
    assert ask_live("GET", "/movies?query=quartz").json()["total"] == 0
    put(ask_live, "new", available=True)
    assert recommended(ask_live) == before


def test_titles_genres_and_years_of_a_bundles_movie_change_what_is_shown_found_and_filtered(
    ask_live: Ask,
) -> None:
    before = recommended(ask_live)
    movie_id, former = "m3", title_of(3)
    answer = put(ask_live, movie_id, title="Kept: Ygdrasil", genres=["Myth"], year=None)
    assert (answer["known"], answer["year"]) == (True, None)
    assert recommended(ask_live) == before
    listed = {"user_id": "42", "filter": {"movie_ids": [movie_id]}, "exclude_seen": False}
    [shown] = ask_live("POST", "/recommend", json=listed).json()["items"]
    assert (shown["title"], shown["genres"], shown["year"]) == ("Kept: Ygdrasil", ["Myth"], None)
    assert [*recommended(ask_live, filter={"genres_any": ["myth"]}, exclude_seen=False)] == [movie_id]
    found = ask_live("GET", "/movies", params={"query": "ygdrasil"}).json()["items"]
    assert [item["movie_id"] for item in found] == [movie_id]
    found = ask_live("GET", "/movies", params={"query": former, "limit": 500}).json()["items"]
    assert movie_id not in {item["movie_id"] for item in found}
    params = {"user_id": "42", "movie_title": former}
    assert ask_live("GET", "/predict_rating", params=params).status_code == 404
    put(ask_live, movie_id, year=1950)
    assert ask_live("GET", f"/movies/{quote(movie_id, safe='')}").json()["year"] == 1950
    assert ask_live("GET", "/movies?limit=500").json()["total"] == NUM_CANDIDATES


def test_many_movies_are_put_at_once_and_wrong_ones_refused_alone(ask_live: Ask) -> None:
    movies: list[Any] = [
        {"movie_id": "a", "title": "Alpha (1999)"},
        {"movie_id": "b"},
        {"movie_id": "c", "title": "  "},
        {"movie_id": "d", "genres": ["Drama"]},
        {"movie_id": "e", "title": "Epsilon", "year": 10_000},
        {"movie_id": "m3", "available": False},
        {"title": "nameless"},
        {"movie_id": "a", "genres": ["War"]},
        {"movie_id": "b", "title": "Beta", "year": 2001},
    ]
    answer = ask_live("POST", "/movies", json={"movies": movies})
    PutMoviesAnswer.model_validate_json(answer.content, strict=True)
    document = answer.json()
    assert (document["stored"], document["unchanged"]) == (4, 0)
    assert [each["index"] for each in document["rejected"]] == [1, 2, 3, 4, 6]
    assert {"a", "b"} <= {*recommended(ask_live)}
    assert "m3" not in recommended(ask_live, exclude_seen=False)
    assert ask_live("GET", "/movies/a").json()["genres"] == ["War"]
    again = ask_live("POST", "/movies", json={"movies": [movies[5], movies[7], movies[8]]}).json()
    assert (again["stored"], again["unchanged"]) == (0, 3)
    assert again["position"] == document["position"]
    assert ask_live("POST", "/movies", json={"movies": []}).status_code == 422
    many = [{"movie_id": str(number), "title": f"Number {number}"} for number in range(1001)]
    assert ask_live("POST", "/movies", json={"movies": many}).status_code == 422
    assert ask_live("POST", "/movies", json={"movies": many[1:]}).json()["stored"] == 1000
    assert ask_live("GET", "/movies?limit=1").json()["total"] == NUM_CANDIDATES + 1002 - 1  # m3 is withheld


def test_genres_alone_make_no_new_movie(ask_live: Ask) -> None:
    answer = ask_live("PUT", "/movies/new", json={"genres": ["Drama"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.title")


def test_movies_that_were_put_are_there_after_a_restart(settings: Settings) -> None:
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        put(ask, "new", **NEW)
        before = recommended(ask)
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        assert recommended(ask) == before
        assert put(ask, "new", year=2018)["genres"] == ["Drama", "Balloons"]


def test_another_service_on_the_same_store_has_it_in_its_next_request(settings: Settings) -> None:
    with (
        asking(create_app(settings, wait_for_bundle=True)) as one,
        asking(create_app(settings, wait_for_bundle=True)) as other,
    ):
        before = recommended(other)
        for number in range(20):
            writer, reader = (one, other) if number % 2 else (other, one)
            new = f"new {number}"
            put(writer, new, **NEW)
            after = recommended(reader)
            assert after.keys() - before.keys() == {new}
            assert after == recommended(writer)
            writer("DELETE", f"/movies/{new}")
            assert recommended(reader) == before
        put(one, "m3", title="Kept: Ygdrasil")
        assert other("GET", "/movies/m3").json()["title"] == "Kept: Ygdrasil"


def test_a_bundle_that_knows_the_movie_has_its_own_row_win(ask_live: Ask, tiny: TinyModel) -> None:
    put(ask_live, "m17", title="Seventeen", year=2500)
    score = float(tiny.candidates[17] @ tiny.embed("42", tiny.seen("42", []), None))
    assert recommended(ask_live, exclude_seen=False)["m17"] == score


def test_a_bundle_of_before_says_that_it_can_add_no_movies(
    tmp_path: Path, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_bundle(tmp_path / "artifacts", tiny)
    monkeypatch.setattr("service.bundle.saved_model._candidate_signature", lambda *_: None)
    settings = Settings(artifacts=tmp_path / "artifacts", store=str(tmp_path / "store.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        refused = ask("PUT", "/movies/new", json=NEW)
        assert (refused.status_code, refused.json()["title"]) == (409, "No new movies")
        assert ask("PUT", "/movies/new", json={"available": False}).json()["known"] is False
        assert put(ask, "m3", title="Three")["title"] == "Three"
        many = ask("POST", "/movies", json={"movies": [{"movie_id": "new"} | NEW]}).json()
        assert (many["stored"], many["rejected"][0]["error"]["status"]) == (0, 409)
