import numpy as np
import pytest
from service_client import Ask
from tiny_model import MOVIE_IDS, USER_IDS, TinyModel, display_title_of, title_of

from service.schemas.users import UserAnswer, UsersAnswer


def test_a_users_history_is_shown_newest_first(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/users/42", params={"limit": 500})
    UserAnswer.model_validate_json(answer.content, strict=True)
    history = tiny.histories["42"]
    document = answer.json()
    shown = [(item["movie_id"], item["rating"], item["timestamp"]) for item in document["items"]]
    assert shown == [(MOVIE_IDS[row], stars, seconds) for row, stars, seconds in reversed(history)]
    row = history[-1][0]
    assert document["items"][0] == {
        "movie_id": MOVIE_IDS[row],
        "title": title_of(row),
        "display_title": display_title_of(row),
        "genres": ["Drama", "War"][: row % 3],
        "year": None if row % 7 == 0 else 1900 + row,
        "rating": history[-1][1],
        "timestamp": history[-1][2],
    }


@pytest.mark.parametrize("user_id", USER_IDS)
def test_a_history_is_counted(user_id: str, ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/users/" + "".join(f"%{byte:02x}" for byte in user_id.encode())).json()
    stars = [given for _, given, _ in tiny.histories[user_id]]
    assert (answer["user_id"], answer["bundle_id"]) == (user_id, "tiny-1")
    assert (answer["num_movies"], answer["num_ratings"]) == (len(stars), len(stars))
    assert answer["mean_rating"] == pytest.approx(np.mean(np.array(stars, float)))
    assert len(answer["items"]) == 20


def test_pages_of_a_history_follow_each_other(ask: Ask) -> None:
    whole = ask("GET", "/users/7?limit=500").json()["items"]
    pages = [ask("GET", f"/users/7?limit=8&offset={offset}").json()["items"] for offset in (0, 8, 16, 24)]
    assert [item for page in pages for item in page] == whole
    assert pages[-1] == []


def test_an_unknown_user_is_404(ask: Ask) -> None:
    answer = ask("GET", "/users/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "urn:matinee:unknown-user"
    assert problem["errors"][0]["field"] == "path.user_id"
    assert "'nobody'" in problem["detail"]


def test_every_user_is_listed_by_id_with_the_length_of_their_history(ask: Ask, tiny: TinyModel) -> None:
    answer = ask("GET", "/users")
    UsersAnswer.model_validate_json(answer.content, strict=True)
    listed = [(item["user_id"], item["num_movies"]) for item in answer.json()["items"]]
    assert listed == [(user_id, len(tiny.histories[user_id])) for user_id in USER_IDS]
    assert answer.json()["total"] == len(USER_IDS)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("a", ["a\0b", "ab"]),
        ("ab", ["ab"]),
        ("abc", []),
        ("42", ["42"]),
        ("🎬", ["🎬"]),
        ("z", []),
        ("é", ["é"]),
    ],
)
def test_users_are_found_by_what_their_ids_begin_with(typed: str, found: list[str], ask: Ask) -> None:
    answer = ask("GET", "/users", params={"query": typed}).json()
    assert [item["user_id"] for item in answer["items"]] == found
    assert answer["total"] == len(found)


def test_pages_of_users_follow_each_other(ask: Ask) -> None:
    pages = [ask("GET", f"/users?limit=3&offset={offset}").json() for offset in (0, 3, 6, 9)]
    assert [item["user_id"] for page in pages for item in page["items"]] == USER_IDS
    assert [page["total"] for page in pages] == [len(USER_IDS)] * 4
