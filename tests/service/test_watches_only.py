"""A bundle of watches without ratings and times: no stars are predicted, and what needs them is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_client import Ask, asking
from tiny_bundle import seal, write_tiny_bundle
from tiny_model import FIRST_TIMESTAMP, MOVIE_IDS, TinyModel, unrated, watches_of

from service.app import create_app
from service.bundle.golden_requests import GOLDEN_FILE, HistoryEntry
from service.bundle.manifest import read_manifest
from service.errors import BundleDisagrees
from service.loading import load_recommender
from service.schemas.recommendations import RecommendAnswer
from service.settings import Settings

HISTORY: list[HistoryEntry] = [{"movie_id": "m3", "rating": 1}, {"movie_id": "m90", "rating": 1_000}]


@pytest.fixture(scope="module")
def watched(tiny: TinyModel) -> TinyModel:
    return watches_of(tiny)


@pytest.fixture(scope="module")
def artifacts(watched: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    artifacts = tmp_path_factory.mktemp("watches")
    write_tiny_bundle(artifacts, watched, "watches-1", has_ratings=False)
    return artifacts


@pytest.fixture(scope="module")
def ask(artifacts: Path) -> Iterator[Ask]:
    app = create_app(Settings(artifacts=artifacts), wait_for_bundle=True)
    with asking(app) as ask:
        yield ask


def recommend(ask: Ask, **body: Any) -> dict[str, Any]:
    answer = ask("POST", "/recommend", json=body)
    assert answer.status_code == 200, answer.text
    RecommendAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    return document


def test_the_manifest_and_the_files_say_that_there_are_no_ratings(artifacts: Path) -> None:
    manifest = read_manifest(artifacts / "watches-1")
    assert manifest.rating_scale is None
    assert not manifest.has_times
    assert not any(name.startswith("ratings/") for name in manifest.files)


def test_lists_have_scores_and_no_stars(ask: Ask, watched: TinyModel) -> None:
    items = recommend(ask, user_id="42", explain=True)["items"]
    assert [item["score"] for item in items] == [score for _, score in watched.recommend("42")[:10]]
    assert {item["predicted_rating"] for item in items} == {None}
    assert any(item["because"] for item in items)
    popular = recommend(ask, user_id="nobody", diversity=0.5)
    assert popular["source"] == "popular"
    assert {item["predicted_rating"] for item in popular["items"]} == {None}


def test_the_stars_and_the_time_of_a_request_are_ignored(ask: Ask, watched: TinyModel) -> None:
    answer = recommend(ask, history=HISTORY)
    expected = watched.recommend(None, unrated(HISTORY))[:10]
    assert [item["score"] for item in answer["items"]] == [score for _, score in expected]
    assert recommend(ask, history=unrated(HISTORY), timestamp=FIRST_TIMESTAMP + 512) == answer


@pytest.mark.parametrize("rank_by", ["rating", "blend"])
def test_an_order_by_stars_is_refused(ask: Ask, rank_by: str) -> None:
    answer = ask("POST", "/recommend", json={"user_id": "42", "rank_by": rank_by})
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "urn:matinee:no-ratings")
    assert "trained on watches without ratings" in problem["detail"]
    assert problem["errors"][0]["field"] == "body.rank_by"


def test_a_prediction_is_refused_alone_and_in_a_batch(ask: Ask) -> None:
    for asked, field in (({"movie_id": MOVIE_IDS[1]}, "movie_id"), ({"movie_title": "Any"}, "movie_title")):
        answer = ask("GET", "/predict_rating", params={"user_id": "42"} | asked)
        problem = answer.json()
        assert (answer.status_code, problem["title"]) == (409, "No ratings")
        assert problem["errors"][0]["field"] == f"query.{field}"
    batch = ask("POST", "/predict_rating/batch", json={"pairs": [{"user_id": "42", "movie_id": "m1"}]})
    assert batch.status_code == 200
    assert batch.json()["predictions"][0]["error"]["type"] == "urn:matinee:no-ratings"


def test_users_and_movies_have_no_stars_and_no_times(ask: Ask) -> None:
    user = ask("GET", "/users/42").json()
    assert (user["num_ratings"], user["mean_rating"]) == (0, None)
    assert user["num_movies"] > 0
    assert {(item["rating"], item["timestamp"]) for item in user["items"]} == {(None, None)}
    movie = ask("GET", "/popular").json()["items"][0]
    assert movie["mean_rating"] is None
    assert movie["num_ratings"] > 0
    manifest = ask("GET", "/model").json()["manifest"]
    assert manifest["rating_scale"] is manifest["dataset"]["first_timestamp"] is None


def test_stars_in_a_golden_answer_are_not_what_such_a_bundle_answers(
    artifacts: Path, watched: TinyModel, tmp_path: Path
) -> None:
    bundle = write_tiny_bundle(tmp_path, watched, "watches-2", has_ratings=False)
    golden = json.loads((bundle / GOLDEN_FILE).read_text(encoding="utf-8"))
    golden["recommend"][0]["items"][0]["predicted_rating"] = 3.0
    (bundle / GOLDEN_FILE).write_text(json.dumps(golden), encoding="utf-8")
    seal(bundle)
    with pytest.raises(BundleDisagrees, match=r"expected a predicted rating of 3\.0 stars, got None"):
        load_recommender(bundle, Settings())
    assert load_recommender(artifacts / "watches-1", Settings()).rating_head is None
