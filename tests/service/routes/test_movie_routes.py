from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from service_client import Ask, asking
from tiny_model import MOVIE_IDS, NUM_CANDIDATES, USER_IDS, TinyModel, display_title_of, title_of

from service.app import create_app
from service.batching.catalogue_threads import CatalogueThreads
from service.errors import QueueFull
from service.schemas.movies import GenresAnswer, MovieAnswer, MoviesAnswer, PopularAnswer, SimilarAnswer
from service.settings import Settings


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["movie_id"] for item in answer["items"]]


def search(ask: Ask, **parameters: Any) -> dict[str, Any]:
    answer = ask("GET", "/movies", params=parameters)
    MoviesAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    return document


def stars_of(tiny: TinyModel, row: int) -> list[float]:
    return [
        stars for history in tiny.histories.values() for rated, stars, _ in history if rated == row if stars
    ]


def test_movies_are_found_by_what_is_typed(ask: Ask) -> None:
    answer = search(ask, query="movei 97")
    assert (ids(answer)[0], answer["bundle_id"]) == ("m97", "tiny-1")
    assert search(ask, query="nothing of the kind")["items"] == []
    # Both twins of rows 20 and 30 are rated twice, that of row 10 once.
    assert ids(search(ask, query="twins")) == ["m20", "m30", "m10"]


def test_a_movie_is_shown_with_what_users_gave_it(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/movies/m20")
    MovieAnswer.model_validate_json(answer.content, strict=True)
    assert answer.json() == {
        "bundle_id": "tiny-1",
        "movie_id": "m20",
        "title": title_of(20),
        "display_title": display_title_of(20),
        "genres": ["Drama", "War"],
        "year": 1920,
        "num_ratings": 2,
        "mean_rating": np.mean(stars_of(tiny, 20)),
        "available": True,
    }


def test_nobody_rated_means_no_mean(ask: Ask, tiny: TinyModel) -> None:
    row = next(row for row in range(NUM_CANDIDATES) if not tiny.num_ratings(row) and len(MOVIE_IDS[row]) > 1)
    movie = ask("GET", f"/movies/{MOVIE_IDS[row]}").json()
    assert (movie["num_ratings"], movie["mean_rating"]) == (0, None)


def test_pages_of_movies_follow_each_other(ask: Ask, tiny: TinyModel) -> None:
    popular = [MOVIE_IDS[row] for row, _ in tiny.popular()]
    pages = [search(ask, limit=100, offset=offset) for offset in (0, 100, 200, 300)]
    assert [movie_id for page in pages for movie_id in ids(page)] == popular
    assert {page["total"] for page in pages} == {NUM_CANDIDATES}
    assert ids(search(ask, offset=2**53 - 1)) == []


def test_a_genre_narrows_a_search_whatever_its_case(ask: Ask) -> None:
    war = [movie_id for row, movie_id in enumerate(MOVIE_IDS) if row % 3 == 2]
    answer = search(ask, genre="wAR", limit=500)
    assert sorted(ids(answer)) == sorted(war)
    assert answer["total"] == len(war)
    assert ids(search(ask, query="twins", genre="Drama")) == ["m20", "m10"]
    assert search(ask, genre="Western")["total"] == 0


def test_genres_are_counted(ask: Ask) -> None:
    answer = ask("GET", "/genres")
    GenresAnswer.model_validate_json(answer.content, strict=True)
    assert answer.json()["years"] == {"first": 1901, "last": 2139}  # every seventh has none
    assert answer.json()["items"] == [
        {"genre": "Drama", "num_movies": 160},
        {"genre": "War", "num_movies": 80},
    ]


def test_the_most_rated_are_popular_with_their_share_of_users(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/popular", params={"k": 25, "offset": 5})
    PopularAnswer.model_validate_json(answer.content, strict=True)
    expected = [(MOVIE_IDS[row], share) for row, share in tiny.popular()[5:30]]
    assert [(item["movie_id"], item["score"]) for item in answer.json()["items"]] == expected
    assert len(ask("GET", "/popular").json()["items"]) == 10


def test_a_genre_has_its_own_popular_movies(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/popular", params={"genre": "war", "k": 4}).json()
    assert ids(answer) == [MOVIE_IDS[row] for row, _ in tiny.popular() if row % 3 == 2][:4]
    assert answer["total"] == 80


def test_similar_movies_are_near_as_seen_from_the_centre_of_all(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/movies/m17/similar", params={"k": 500})
    SimilarAnswer.model_validate_json(answer.content, strict=True)
    items = answer.json()["items"]
    offsets = tiny.candidates.astype(float) - tiny.candidates.astype(float).mean(axis=0)
    cosines = offsets @ offsets[17] / np.linalg.norm(offsets, axis=1) / np.linalg.norm(offsets[17])
    assert len(items) == NUM_CANDIDATES - 1
    assert "m17" not in ids(answer.json())
    for item in items:
        assert item["score"] == pytest.approx(cosines[MOVIE_IDS.index(item["movie_id"])], abs=1e-5)
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert len(ask("GET", "/movies/m17/similar").json()["items"]) == 10


def test_an_unknown_title_is_answered_with_the_closest(ask: Ask) -> None:
    typed = {"user_id": USER_IDS[1], "movie_title": "Twinz (1988)"}
    for answer in (ask("GET", "/predict_rating", params=typed), ask("POST", "/predict_rating", json=typed)):
        assert answer.status_code == 404
        problem = answer.json()
        assert problem["type"] == "urn:matinee:unknown-title"
        suggested = [(each["movie_id"], each["title"]) for each in problem["suggestions"]]
        assert suggested[:3] == [(MOVIE_IDS[row], title_of(row)) for row in (20, 30, 10)]
        assert len(suggested) <= 5
        again = typed | {"movie_title": suggested[0][1]}
        assert ask("POST", "/predict_rating", json=again).status_code == 200


def test_where_too_many_wait_for_a_search_an_unknown_title_is_answered_without(tiny_artifacts: Path) -> None:
    async def refuse(_: object, **__: object) -> None:
        raise QueueFull("as many as may are waiting")

    app = create_app(Settings(artifacts=tiny_artifacts), wait_for_bundle=True)
    app.state.services = replace(
        app.state.services, catalogue_threads=cast("CatalogueThreads", SimpleNamespace(run=refuse))
    )
    misspelt = {"user_id": "42", "movie_title": "Twinz (1988)"}
    with asking(app) as ask_busy:
        assert ask_busy("GET", "/movies", params={"query": "twinz"}).status_code == 503
        alone = ask_busy("POST", "/predict_rating", json=misspelt)
        pairs = [misspelt, {"user_id": "42", "movie_id": "m1"}]
        batch = ask_busy("POST", "/predict_rating/batch", json={"pairs": pairs}).json()["predictions"]
    assert alone.status_code == batch[0]["error"]["status"] == 404
    assert "suggestions" not in {*alone.json(), *batch[0]["error"]}
    assert batch[1]["movie_id"] == "m1"


def test_a_title_like_no_other_is_answered_without_suggestions(ask: Ask) -> None:
    for title in ("", "Qqqq", "x" * 1_000):
        problem = ask("POST", "/predict_rating", json={"user_id": "42", "movie_title": title}).json()
        assert problem["status"] == 404
        assert "suggestions" not in problem
