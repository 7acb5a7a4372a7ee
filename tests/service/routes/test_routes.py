from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from service_client import Ask, asking
from tiny_model import (
    FIRST_TIMESTAMP,
    MOVIE_IDS,
    NUM_CANDIDATES,
    TWIN_TITLE,
    USER_IDS,
    TinyModel,
    display_title_of,
    title_of,
)

from service.app import create_app
from service.bundle.golden_requests import HistoryEntry
from service.bundle.manifest import read_manifest
from service.schemas.health import ModelAnswer
from service.schemas.ratings import RatingAnswer
from service.schemas.recommendations import RecommendAnswer
from service.settings import Settings

LIKED: list[HistoryEntry] = [{"movie_id": "m3", "rating": 5}, {"movie_id": "🎬", "rating": None}]


def recommend(ask: Ask, **body: Any) -> dict[str, Any]:
    answer = ask("POST", "/recommend", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    RecommendAnswer.model_validate_json(answer.content, strict=True)  # what OpenAPI declares
    document: dict[str, Any] = answer.json()
    return document


def test_a_known_user_is_recommended_the_best_they_have_not_seen(ask: Ask, tiny: TinyModel) -> None:
    answer = recommend(ask, user_id="42", timestamp=FIRST_TIMESTAMP + 64, k=7)
    ranked = tiny.recommend("42", timestamp=FIRST_TIMESTAMP + 64)[:7]
    items = answer.pop("items")
    assert answer == {"user_id": "42", "bundle_id": "tiny-1", "source": "personalized"}
    assert [item["score"] for item in items] == [score for _, score in ranked]
    row, score = ranked[0]
    assert items[0] == {
        "rank": 1,
        "rank_score": score,
        "source": "personalized",
        "movie_id": MOVIE_IDS[row],
        "title": title_of(row),
        "display_title": display_title_of(row),
        "genres": ["Drama", "War"][: row % 3],
        "year": None if row % 7 == 0 else 1900 + row,
        "score": score,
        "predicted_rating": pytest.approx(tiny.stars(row, "42", timestamp=FIRST_TIMESTAMP + 64), abs=1e-6),
    }


@pytest.mark.parametrize(
    ("body", "source"),
    [
        ({"user_id": "42", "history": LIKED}, "personalized"),
        ({"user_id": "nobody", "history": LIKED}, "history"),
        ({"history": LIKED}, "history"),
        ({"user_id": None, "history": LIKED, "timestamp": None}, "history"),
        ({"user_id": "nobody"}, "popular"),
        ({"user_id": "nobody", "history": []}, "popular"),
    ],
)
def test_an_answer_says_what_it_rests_on_and_echoes_the_user(
    body: dict[str, Any], source: str, ask: Ask
) -> None:
    answer = recommend(ask, **body)
    assert (answer["source"], answer["user_id"]) == (source, body.get("user_id"))
    assert len(answer["items"]) == 10


def test_a_history_may_name_a_movie_added_since_training(ask: Ask) -> None:
    """The app's catalogue is newer than the bundle; `../shared/cases/unknown_movie_in_history`."""
    known = [{"movie_id": "m50", "rating": 5}, {"movie_id": "m172", "rating": 5}]
    sent = [*known, {"movie_id": "added-since-training", "rating": 5}]
    answer = recommend(ask, k=2, history=sent)
    assert answer.pop("ignored") == ["added-since-training"]
    assert answer == recommend(ask, k=2, history=known)  # which has no such field
    rating = ask("POST", "/predict_rating", json={"history": sent, "movie_id": "m1"})
    assert RatingAnswer.model_validate_json(rating.content, strict=True).ignored == ["added-since-training"]


@pytest.mark.parametrize("user_id", USER_IDS)
def test_users_with_unusual_ids_are_known(user_id: str, ask: Ask) -> None:
    assert recommend(ask, user_id=user_id)["source"] == "personalized"
    by_get = ask("GET", "/recommend", params={"user_id": user_id})
    assert by_get.json() == recommend(ask, user_id=user_id)


def test_get_answers_as_post_does(ask: Ask) -> None:
    query = {"user_id": "7", "k": 3, "timestamp": FIRST_TIMESTAMP, "exclude_seen": False}
    by_get = ask("GET", f"/recommend?user_id=7&k=3&timestamp={FIRST_TIMESTAMP}&exclude_seen=false")
    assert by_get.json() == recommend(ask, **query)
    by_get = ask("GET", "/predict_rating", params={"user_id": "7", "movie_title": TWIN_TITLE})
    by_post = ask("POST", "/predict_rating", json={"user_id": "7", "movie_title": TWIN_TITLE})
    assert by_get.json() == by_post.json()


def test_fewer_than_k_come_back_only_when_none_are_left(ask: Ask, tiny: TinyModel) -> None:
    left = NUM_CANDIDATES - len(tiny.histories["42"])
    assert len(recommend(ask, user_id="42", k=500)["items"]) == left
    assert len(recommend(ask, user_id="42", k=left - 1)["items"]) == left - 1
    everything = [{"movie_id": movie_id} for movie_id in MOVIE_IDS]
    assert recommend(ask, history=everything)["items"] == []


def test_a_rating_is_predicted(ask: Ask, tiny: TinyModel) -> None:
    body = {"user_id": "42", "movie_id": "m97", "history": LIKED, "timestamp": FIRST_TIMESTAMP + 32}
    answer = ask("POST", "/predict_rating", json=body)
    RatingAnswer.model_validate_json(answer.content, strict=True)
    assert answer.json() == {
        "user_id": "42",
        "movie_id": "m97",
        "title": title_of(97),
        "display_title": display_title_of(97),
        "predicted_rating": pytest.approx(tiny.stars(97, "42", LIKED, FIRST_TIMESTAMP + 32), abs=1e-6),
        "known_user": True,
        "bundle_id": "tiny-1",
    }


def test_the_rating_of_a_cold_start_user_is_predicted_too(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("POST", "/predict_rating", json={"history": LIKED, "movie_title": TWIN_TITLE}).json()
    assert (answer["user_id"], answer["known_user"], answer["movie_id"]) == (None, False, "m20")
    assert answer["predicted_rating"] == pytest.approx(tiny.stars(20, None, LIKED), abs=1e-6)
    answer = ask("GET", "/predict_rating?user_id=nobody&movie_id=m3").json()
    assert (answer["user_id"], answer["known_user"]) == ("nobody", False)


def test_the_process_says_that_it_lives_and_which_bundle_answers(ask: Ask) -> None:
    assert ask("GET", "/healthz").json() == {"status": "alive"}
    assert ask("GET", "/readyz").json() == {"status": "ready", "bundle_id": "tiny-1"}


def test_the_model_is_shown_with_its_manifest_and_metrics(ask: Ask, tiny_artifacts: Path) -> None:
    answer = ask("GET", "/model")
    ModelAnswer.model_validate_json(answer.content)
    assert answer.json() == {
        "bundle_id": "tiny-1",
        "metrics": {"rmse": 0.5},
        "refused": None,
        "feedback": "off",
        "manifest": read_manifest(tiny_artifacts / "tiny-1").to_document(),
    }


@pytest.mark.parametrize(("write_keys", "said"), [("", "on"), ("writer", "write-key")])
def test_the_model_says_whether_feedback_is_kept(
    write_keys: str, said: str, tiny_artifacts: Path, tmp_path: Path
) -> None:
    settings = Settings(
        artifacts=tiny_artifacts,
        store=str(tmp_path / "feedback.sqlite3"),
        api_keys=SecretStr("app"),
        write_keys=SecretStr(write_keys),
    )
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        assert ask("GET", "/model", headers={"X-API-Key": "app"}).json()["feedback"] == said
