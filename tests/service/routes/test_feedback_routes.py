"""Feedback over HTTP: what is posted is in force in the next answer."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from service_client import Ask, asking
from tiny_model import MOVIE_IDS, Rated, TinyModel

from service.app import create_app
from service.routes import feedback_files
from service.schemas.feedback import FeedbackAnswer
from service.schemas.imported_feedback import ImportAnswer
from service.schemas.recommendations import RecommendAnswer
from service.schemas.user_feedback import UserFeedbackAnswer
from service.settings import Settings


@pytest.fixture
def ask_live(tiny_artifacts: Path, store_setting: str) -> Iterator[Ask]:
    """Send requests to an application with a store, of each kind of database."""
    settings = Settings(artifacts=tiny_artifacts, store=store_setting)
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


RECOMMENDATION_IDS: list[str] = []
"""Of all answers so far."""


def event(user_id: str, movie_id: str, type_: str = "rating", **fields: Any) -> dict[str, Any]:
    return {"user_id": user_id, "movie_id": movie_id, "type": type_} | fields


def post(ask: Ask, *events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = ask("POST", "/feedback", json={"events": events} | fields)
    assert answer.status_code == 200, answer.text
    FeedbackAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    return document


def recommended(ask: Ask, user_id: str, **fields: Any) -> dict[str, Any]:
    answer = ask("POST", "/recommend", json={"user_id": user_id, "k": 500} | fields)
    RecommendAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    # It has the time, which no comparison of two answers should.
    RECOMMENDATION_IDS.append(document.pop("recommendation_id"))
    return document


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["movie_id"] for item in answer["items"]]


def test_a_new_user_is_known_by_the_first_rating_and_gets_what_the_same_history_sent_gets(
    ask_live: Ask, tiny: TinyModel
) -> None:
    assert recommended(ask_live, "new")["source"] == "popular"
    post(ask_live, event("new", "m3", value=5, timestamp=100), event("new", "m9", value=1, timestamp=200))
    answer = recommended(ask_live, "new", rank_by="retrieval")
    assert answer["source"] == "personalized"
    seen: list[Rated] = [(3, 5.0, 100), (9, 1.0, 200)]
    scores = tiny.candidates @ tiny.embed("new", seen, None)
    best = [
        row for row in sorted(range(len(scores)), key=lambda row: (-scores[row], row)) if row not in (3, 9)
    ]
    assert ids(answer) == [MOVIE_IDS[row] for row in best]
    predicted = ask_live("GET", "/predict_rating?user_id=new&movie_id=m17").json()
    assert predicted["known_user"] is True
    shown = ask_live("GET", "/users/new").json()
    assert [(item["movie_id"], item["rating"], item["timestamp"]) for item in shown["items"]] == [
        ("m9", 1, 200),
        ("m3", 5, 100),
    ]


def test_a_rating_replaces_the_bundles_and_takes_its_place_in_time(ask_live: Ask, tiny: TinyModel) -> None:
    row, stars, seconds = tiny.histories["42"][3]
    changed = 1.0 if stars != 1.0 else 5.0
    post(ask_live, event("42", MOVIE_IDS[row], value=changed, timestamp=seconds - 1))
    items = ask_live("GET", "/users/42?limit=500").json()["items"]
    assert [item["rating"] for item in items if item["movie_id"] == MOVIE_IDS[row]] == [stars]
    post(ask_live, event("42", MOVIE_IDS[row], value=changed))
    items = ask_live("GET", "/users/42?limit=500").json()["items"]
    assert (items[0]["movie_id"], items[0]["rating"]) == (MOVIE_IDS[row], changed)
    assert len(items) == len(tiny.histories["42"])
    seen = [each for each in tiny.histories["42"] if each[0] != row] + [(row, changed, 2_000_000)]
    scores = tiny.candidates @ tiny.embed("42", seen, None)
    assert recommended(ask_live, "42")["items"][0]["score"] == max(
        score for at, score in enumerate(scores) if at not in {each[0] for each in seen}
    )


def test_a_hidden_movie_is_never_listed_and_does_not_count_as_seen(ask_live: Ask) -> None:
    before = recommended(ask_live, "42")
    first = ids(before)[0]
    post(ask_live, event("42", first, "hide"))
    after = recommended(ask_live, "42")
    assert ids(after) == ids(before)[1:]
    assert [item["score"] for item in after["items"]] == [item["score"] for item in before["items"][1:]]
    assert first not in ids(recommended(ask_live, "42", exclude_seen=False))
    assert first in ids(recommended(ask_live, "7", exclude_seen=False))
    post(ask_live, event("42", first, "hide", value=0))
    assert ids(recommended(ask_live, "42")) == ids(before)


def test_clicks_and_impressions_are_counted_once_by_their_id_and_change_no_list(ask_live: Ask) -> None:
    before = recommended(ask_live, "42")
    click = event("42", "m3", "click", event_id="c1", recommendation_id="r1", rank=2)
    assert post(ask_live, click, click, event("42", "m3", "impression"))["stored"] == 2
    assert post(ask_live, click)["unchanged"] == 1
    assert recommended(ask_live, "42") == before
    kept = ask_live("GET", "/users/42/feedback").json()
    assert (kept["clicks"], kept["impressions"], kept["items"]) == (1, 1, [])


def test_what_is_removed_leaves_history_and_lists_as_before(ask_live: Ask, tiny: TinyModel) -> None:
    row = tiny.histories["42"][5][0]
    answer = ask_live("DELETE", f"/users/42/feedback/{MOVIE_IDS[row]}")
    assert (answer.status_code, answer.json()["position"]) == (200, 1)
    assert MOVIE_IDS[row] in ids(recommended(ask_live, "42"))
    shown = ask_live("GET", "/users/42?limit=500").json()
    assert shown["num_movies"] == len(tiny.histories["42"]) - 1
    post(ask_live, event("new", "m3", value=5))
    ask_live("DELETE", "/users/new/feedback/m3")
    assert ask_live("GET", "/users/new").status_code == 404
    assert recommended(ask_live, "new")["source"] == "popular"


def test_bad_events_are_refused_alone_and_say_why(ask_live: Ask) -> None:
    now = int(time.time())
    bad = [
        event("ann", "m1", value=9),
        event("ann", "m1"),
        event("ann", "m1", "watch", value=3),
        event("ann", "m1", "sing"),
        event("ann", "m1", "watch", timestamp=now * 1000),
        event("ann", "m1", "watch", timestamp=now + 1_000),
        event("ann", "m1", "watch", surplus=1),
        {"user_id": "ann"},
    ]
    answer = post(ask_live, *bad, event("ann", "m1", "watch", timestamp=now + 200))
    assert [each["index"] for each in answer["rejected"]] == [*range(8)]
    assert answer["stored"] == 1
    details = [each["error"]["detail"] for each in answer["rejected"]]
    for detail, said in zip(
        details,
        [
            "from 1 to 5 stars, got 9",
            "got none",
            "no value of a watch",
            "",
            "milliseconds",
            "1000 s ahead",
            "",
            "",
        ],
        strict=True,
    ):
        assert said in detail
    assert all(each["error"]["status"] == 422 for each in answer["rejected"])


def test_unknown_movies_are_stored_and_named_or_refused_if_strict(ask_live: Ask) -> None:
    answer = post(ask_live, event("ann", "later", "watch"), event("ann", "later", "hide"))
    assert (answer["stored"], answer["unknown_movies"]) == (2, ["later"])
    assert recommended(ask_live, "ann")["source"] == "popular"
    answer = post(ask_live, event("ann", "later", "watch"), event("ann", "m1", "watch"), strict=True)
    assert (answer["stored"], answer["unknown_movies"]) == (1, [])
    assert [each["error"]["status"] for each in answer["rejected"]] == [404]


def test_a_users_feedback_is_paged_newest_first(ask_live: Ask) -> None:
    post(ask_live, *(event("ann", f"m{place}", "watch", timestamp=place) for place in range(5)))
    pages = [ask_live("GET", f"/users/ann/feedback?limit=2&offset={offset}") for offset in (0, 2, 4)]
    for page in pages:
        UserFeedbackAnswer.model_validate_json(page.content, strict=True)
    shown = [item["timestamp"] for page in pages for item in page.json()["items"]]
    assert (shown, pages[0].json()["total"]) == ([4, 3, 2, 1, 0], 5)
    nobody = ask_live("GET", "/users/nobody/feedback").json()
    assert (nobody["total"], nobody["version"]) == (0, 0)


def test_without_a_store_posting_is_refused_and_says_so(ask: Ask) -> None:
    answers = [
        ask("POST", "/feedback", json={"events": [event("ann", "m1", "watch")]}),
        ask("GET", "/users/ann/feedback"),
        ask("DELETE", "/users/ann/feedback/m1"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert "MATINEE_STORE" in answers[0].json()["detail"]


def test_a_store_that_cannot_be_used_is_503_for_writing_and_said_in_answers(
    tiny_artifacts: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no directory")
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "file" / "feedback.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        posted = ask("POST", "/feedback", json={"events": [event("ann", "m1", "watch")]})
        assert (posted.status_code, posted.headers["Retry-After"]) == (503, "5")
        assert posted.json()["type"] == "urn:matinee:store-away"
        for path in ("/recommend?user_id=42", "/predict_rating?user_id=42&movie_id=m1", "/users/42"):
            answer = ask("GET", path)
            assert (answer.status_code, answer.json()["live"]) == (200, False)
        assert "matinee_feedback_away_total 3.0" in ask("GET", "/metrics").text


def test_feedback_outlives_the_service_and_ids_may_be_any_text(tiny_artifacts: Path, tmp_path: Path) -> None:
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "feedback.sqlite3"))
    for expected in (1, 0):
        with asking(create_app(settings, wait_for_bundle=True)) as ask:
            answer = post(ask, event("a\0b/é🎬", "🎬", value=4, timestamp=5))
            assert answer["stored"] == expected
            assert recommended(ask, "a\0b/é🎬")["source"] == "personalized"


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in events)


def imported(ask: Ask, content: Any, kind: str = "application/x-ndjson", **parameters: str) -> dict[str, Any]:
    answer = ask(
        "POST", "/feedback/import", content=content, headers={"Content-Type": kind}, params=parameters
    )
    assert answer.status_code == 200, answer.text
    ImportAnswer.model_validate_json(answer.content, strict=True)
    document: dict[str, Any] = answer.json()
    return document


def exported(ask: Ask, **parameters: int) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ask("GET", "/feedback", params=parameters).content.splitlines()]


def test_an_export_is_the_import_of_another_store(
    ask_live: Ask, tiny_artifacts: Path, tmp_path: Path
) -> None:
    post(
        ask_live,
        event("ann", "m3", value=5, timestamp=10),
        event("bob", "m4", "click", event_id="c1", rank=3, recommendation_id="r1", timestamp=20),
        event("ann", "m5", "hide", timestamp=30),
        event("a\0b", "é\n", "watch", timestamp=40),
        event("ann", "m3", value=4, timestamp=50),
    )
    ask_live("DELETE", "/users/ann/feedback/m5")
    everything = exported(ask_live)
    assert [each["position"] for each in everything] == [2, 4, 5, 6]
    assert exported(ask_live, cursor=2, limit=2) == everything[1:3]
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "other.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask_other:
        for counted in ({"stored": 4, "unchanged": 0}, {"stored": 0, "unchanged": 4}):
            answer = imported(ask_other, lines(*everything))
            assert {name: answer[name] for name in counted} == counted
        without_positions = [
            [{name: each[name] for name in each if name != "position"} for each in exported(ask)]
            for ask in (ask_live, ask_other)
        ]
        assert without_positions[0] == without_positions[1]
        assert recommended(ask_other, "ann") == recommended(ask_live, "ann")


def test_a_stream_that_broke_goes_on_where_it_was_committed(
    ask_live: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback_files, "RECORDS_PER_COMMIT", 10)
    events = [event("ann", f"m{place}", "impression") for place in range(35)]
    assert imported(ask_live, lines(*events[:25]), import_id="i")["stored"] == 25
    answer = imported(ask_live, lines(*events), import_id="i")
    assert (answer["records"], answer["skipped"], answer["stored"]) == (35, 25, 10)
    assert ask_live("GET", "/users/ann/feedback").json()["impressions"] == 35


def test_bad_records_are_refused_alone_and_chunks_may_end_anywhere(ask_live: Ask) -> None:
    good = event("ann", "m3", "watch", timestamp=5)
    content = (
        lines(good)
        + b"nonsense\n\n"
        + lines(event("ann", "m4", value=7))
        + b'{"user_id": "ann"}, {"movie_id": 3}\n'
        + lines(event("ann", "m6", "watch", timestamp=6))[:-1]
    )

    async def chunks() -> Any:
        for place in range(0, len(content), 7):
            yield content[place : place + 7]

    answer = imported(ask_live, chunks())
    assert (answer["records"], answer["stored"], answer["num_rejected"]) == (5, 2, 3)
    assert [each["record"] for each in answer["rejected"]] == [1, 2, 3]


def test_csv_is_read_with_quotes_and_line_ends_in_them(ask_live: Ask) -> None:
    content = 'movie_id,user_id,type,value,timestamp\r\n"m3","a,""b""\nc",rating,4.5,7\r\nm4,bob,watch,,\r\n'
    answer = imported(ask_live, content.encode(), "text/csv; charset=utf-8")
    assert (answer["records"], answer["stored"]) == (2, 2)
    [first, second] = exported(ask_live)
    assert (first["user_id"], first["value"], first["timestamp"]) == ('a,"b"\nc', 4.5, 7)
    assert (second["user_id"], "value" in second) == ("bob", False)


def test_what_is_no_stream_of_events_is_refused(ask_live: Ask) -> None:
    for content, kind, said in (
        (b"{}", "application/json", "expected Content-Type"),
        (b"movie,user\n1,2\n", "text/csv", "expected a first row"),
        (b"x" * 70_000, "application/x-ndjson", "does not end"),
    ):
        answer = ask_live("POST", "/feedback/import", content=content, headers={"Content-Type": kind})
        assert (answer.status_code, said in answer.text) == (422, True)
    assert imported(ask_live, b"")["records"] == 0


def test_a_forgotten_user_shows_nowhere_and_may_come_back_as_a_new_one(
    ask_live: Ask, tiny: TinyModel
) -> None:
    unknown = recommended(ask_live, "nobody")
    post(ask_live, event("42", "m3", value=5), event("42", "m4", "click"), event("new", "m5", "watch"))
    answer = ask_live("DELETE", "/users/42")
    assert (answer.status_code, answer.json()["bundle_trained_without"]) == (200, False)
    assert ask_live("DELETE", "/users/new").json()["bundle_trained_without"] is True
    for user_id in ("42", "new"):
        assert recommended(ask_live, user_id) | {"user_id": "nobody"} == unknown
        assert ask_live("GET", f"/users/{user_id}").status_code == 404
        kept = ask_live("GET", f"/users/{user_id}/feedback").json()
        assert (kept["total"], kept["clicks"]) == (0, 0)
    users = ask_live("GET", "/users").json()
    assert "42" not in {item["user_id"] for item in users["items"]}
    assert users["total"] == len(tiny.histories) - 1
    assert exported(ask_live) == []
    post(ask_live, event("42", "m3", value=5))
    assert ask_live("GET", "/users/42").json()["num_movies"] == 1


def test_the_file_has_no_id_of_a_forgotten_user(tiny_artifacts: Path, tmp_path: Path) -> None:
    path = tmp_path / "feedback.sqlite3"
    user_id = "somebody-with-a-long-id"
    settings = Settings(artifacts=tiny_artifacts, store=str(path))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        post(ask, event(user_id, "m3", value=5), event(user_id, "m3", "click", event_id="e"))
        ask("DELETE", f"/users/{user_id}")
        held = b"".join(each.read_bytes() for each in tmp_path.glob("feedback.sqlite3*"))
    assert user_id.encode() not in held


def test_feedback_on_recommended_movies_is_counted_by_bundle_and_source_once(ask_live: Ask) -> None:
    post(ask_live, event("new", "m3", value=5))
    first, second, third = recommended(ask_live, "new")["items"][:3]
    shown = {"recommendation_id": RECOMMENDATION_IDS[-1]}
    assert (
        post(
            ask_live,
            event("new", first["movie_id"], "impression", event_id="i1", rank=1, **shown),
            event("new", second["movie_id"], "impression", event_id="i2", rank=2, **shown),
            event("new", first["movie_id"], "click", recommendation_id="forged.personalized.tiny-1.00"),
            event("new", first["movie_id"], "click", event_id="c1", rank=1, **shown),
            event("new", third["movie_id"], "rating", value=2, **shown),
        )["stored"]
        == 5
    )
    post(ask_live, event("new", first["movie_id"], "click", event_id="c1", rank=1, **shown))
    metrics = ask_live("GET", "/metrics").text
    for type_, count in {"impression": 2, "click": 1, "rating": 1}.items():
        labels = f'bundle_id="tiny-1",source="personalized",type="{type_}"'
        assert f"matinee_recommended_events_total{{{labels}}} {count}.0" in metrics
    squared = (third["predicted_rating"] - 2) ** 2
    [line] = [each for each in metrics.splitlines() if each.startswith("matinee_rating_squared_error_sum")]
    assert float(line.split()[-1]) == pytest.approx(squared)
    kept = [each for each in exported(ask_live) if each["type"] == "click"]
    assert [each["recommendation_id"] for each in kept][1:] == [shown["recommendation_id"]]


@pytest.mark.parametrize("number", [1, 100])
def test_a_movie_that_is_not_available_is_shown_to_nobody_until_it_is(ask_live: Ask, number: int) -> None:
    before = {user_id: ids(recommended(ask_live, user_id)) for user_id in ("42", "nobody")}
    withdrawn = before["42"][:number]
    for movie_id in withdrawn[1:]:
        path = f"/movies/{quote(movie_id, safe='')}"
        assert ask_live("PUT", path, json={"available": False}).json()["known"] is True
    ask_live("DELETE", f"/movies/{quote(withdrawn[0], safe='')}")
    for user_id, listed in before.items():
        kept = [movie_id for movie_id in listed if movie_id not in withdrawn]
        assert ids(recommended(ask_live, user_id)) == kept
        assert ids(recommended(ask_live, user_id, k=3, exclude_seen=False, explore=0.5)) != withdrawn[:3]
    shown = [
        *ids(ask_live("GET", "/popular?k=500").json()),
        *ids(ask_live("GET", "/movies?limit=500").json()),
        *ids(ask_live("GET", "/movies/m3/similar?k=200").json()),
    ]
    assert not {*withdrawn} & {*shown}
    one = quote(withdrawn[0], safe="")
    assert ask_live("GET", f"/movies/{one}").json()["available"] is False
    assert ask_live("GET", "/predict_rating", params={"user_id": "42", "movie_id": withdrawn[0]}).is_success
    for movie_id in withdrawn:
        ask_live("PUT", f"/movies/{quote(movie_id, safe='')}", json={"available": True})
    assert {user_id: ids(recommended(ask_live, user_id)) for user_id in before} == before


def test_a_movie_that_no_bundle_knows_is_noted(ask_live: Ask) -> None:
    answer = ask_live("PUT", "/movies/later", json={"available": False})
    assert (answer.status_code, answer.json()["known"]) == (200, False)
    assert ask_live("PUT", "/movies/later", json={"available": None}).status_code == 422
