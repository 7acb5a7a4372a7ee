import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from service_client import Ask, asking

from service.app import create_app
from service.http.problem_details import MOST_ERRORS, Problem
from service.served_bundle import ServedBundle
from service.settings import Settings

JSON = {"content-type": "application/json"}
POSTS = ("/recommend", "/predict_rating")


def check(answer: httpx.Response, status: int) -> Problem:
    """Every error has this one shape."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = Problem.model_validate_json(answer.content, strict=True)
    assert problem.status == status
    assert problem.title
    assert problem.detail
    return problem


def fields(problem: Problem) -> list[str]:
    return [error.field for error in problem.errors]


def test_an_unknown_movie_is_404_and_named(ask: Ask) -> None:
    problem = check(ask("POST", "/predict_rating", json={"user_id": "42", "movie_id": "m999"}), 404)
    assert (problem.type, problem.title) == ("urn:matinee:unknown-movie", "Unknown movie")
    assert "'m999'" in problem.detail
    assert fields(problem) == ["body.movie_id"]
    problem = check(ask("GET", "/predict_rating?user_id=42&movie_title=Nowhere"), 404)
    assert "'Nowhere'" in problem.detail
    assert fields(problem) == ["query.movie_title"]
    for path, field in (("exclude=m1&exclude=m999", "exclude.1"), ("movie_ids=m999", "movie_ids.0")):
        problem = check(ask("GET", f"/recommend?strict=true&{path}"), 404)
        assert fields(problem) == [f"query.{field}"]
    history = [{"movie_id": "m1"}, {"movie_id": "m999"}]
    strict = {"user_id": "42", "history": history, "strict": True}
    for path in POSTS:
        body = strict | ({"movie_id": "m1"} if path == "/predict_rating" else {})
        assert fields(check(ask("POST", path, json=body), 404)) == ["body.history.1.movie_id"]


@pytest.mark.parametrize("path", POSTS)
def test_a_rating_outside_the_scale_is_422_with_field_and_scale(path: str, ask: Ask) -> None:
    body: dict[str, Any] = {"history": [{"movie_id": "m1", "rating": 7}]}
    body |= {"movie_id": "m1"} if path == "/predict_rating" else {}
    problem = check(ask("POST", path, json=body), 422)
    assert fields(problem) == ["body.history.0.rating"]
    assert "from 1 to 5 stars, got 7" in problem.detail


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        (
            {"user_id": 4.5},
            "body.user_id",
            "or an integer of at most 2^53 - 1 (a larger one as text), got 4.5",
        ),
        ({"user_id": "42", "k": 501}, "body.k", "less than or equal to 500"),
        ({"user_id": "42", "timestamp": 2**64}, "body.timestamp", "nanoseconds; send 18446744073"),
        ({"user_id": "42", "history": [{"rating": 5}]}, "body.history.0.movie_id", "required"),
        ({"user_id": "42", "surprise": 1}, "body.surprise", "unknown; expected one of user_id, history"),
        ({"userId": "42"}, "body.userId", "did you mean `user_id`?"),
        ({"history": [{"movie_id": "1", "Rating": 5}]}, "body.history.0.Rating", "did you mean `rating`?"),
        ({"filter": {"genre": "War"}}, "body.filter.genre", "did you mean `genres_any`?"),
        ({"limit": 3}, "body.limit", "did you mean `k`?"),
        ({"user_id": "42", "\ud800": 1}, "body", "unicode"),
    ],
)
def test_a_malformed_field_is_422_and_named(body: object, field: str, message: str, ask: Ask) -> None:
    problem = check(ask("POST", "/recommend", content=json.dumps(body), headers=JSON), 422)
    assert problem.type == "urn:matinee:invalid-request"
    assert fields(problem) == [field]
    assert message in problem.errors[0].message
    assert field in problem.detail


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("user_id=42&k=ten", "query.k"),
        ("user_id=42&k=0", "query.k"),
        ("user_id=42&exclude_seen=perhaps", "query.exclude_seen"),
        ("user_id=42&timestamp=99999999999999999999", "query.timestamp"),
        ("user_id=42&surprise=1", "query.surprise"),
    ],
)
def test_a_malformed_query_parameter_is_422_and_named(query: str, field: str, ask: Ask) -> None:
    assert fields(check(ask("GET", f"/recommend?{query}"), 422)) == [field]


def test_a_movie_named_by_neither_or_both_is_422(ask: Ask) -> None:
    assert fields(check(ask("GET", "/predict_rating?user_id=42"), 422)) == ["query.movie_title"]
    both = {"user_id": "42", "movie_id": "m1", "movie_title": "Twins (1988)"}
    assert fields(check(ask("POST", "/predict_rating", json=both), 422)) == ["body.movie_title"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe\xfd",
        b'{"user_id": "\xff"}',
        b"null",
        b"[]",
        b'"42"',
        b"42",
        b"1" * 5_000,
        b'{"k": ' + b"1" * 5_000 + b"}",
        b'{"user_id": "42", "k": NaN}',
        b'{"user_id": "42", "timestamp": Infinity}',
        b'{"history": [{"movie_id": "m1", "rating": -Infinity}]}',
        b'{"history": [{"movie_id": "m1", "rating": 1e400}]}',
        b"[" * 100_000,
        b'{"user_id": ' * 100_000,
        b'{"user_id": "\\ud83c"}',
        b'{"user_id": "42", "k": "\\ud83c"}',
        b'{"user_id": {"a": [[[[1]]]]}, "history": 5}',
    ],
    ids=lambda content: repr(content[:40]),
)
def test_a_hostile_body_is_422_never_500(path: str, content: bytes, ask: Ask) -> None:
    problem = check(ask("POST", path, content=content, headers=JSON), 422)
    assert all(field.startswith("body") for field in fields(problem))
    assert fields(problem)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "\x00", ";"]
)
def test_another_content_type_is_422_with_a_hint(content_type: str | None, ask: Ask) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    problem = check(ask("POST", "/recommend", content=b'{"user_id": "42"}', headers=headers), 422)
    assert "Content-Type: application/json" in problem.detail


def test_forty_mistakes_are_not_answered_with_forty_errors(ask: Ask) -> None:
    problem = check(ask("POST", "/recommend", json={f"field{number}": 1 for number in range(40)}), 422)
    assert len(problem.errors) == MOST_ERRORS


@pytest.mark.parametrize("path", ["/web", "/nowhere", "/recommend//", "/recommend/42", "/%00"])
def test_an_unknown_path_is_404(path: str, ask: Ask) -> None:
    problem = check(ask("GET", path), 404)
    assert problem.type == "about:blank"


def test_a_method_that_is_not_there_is_405_and_says_which_are(ask: Ask) -> None:
    answer = ask("DELETE", "/healthz")
    check(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert ask("DELETE", "/recommend").headers["allow"] == "GET, HEAD, POST"
    assert set(ask("PUT", "/docs").headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_an_unforeseen_error_is_500_without_the_reason(
    tiny_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(artifacts=tiny_artifacts))
    monkeypatch.setattr(ServedBundle, "recommender", property(lambda _: 1 / 0))
    with asking(app) as ask:
        problem = check(ask("GET", "/readyz"), 500)
    assert "division" not in problem.model_dump_json()


def test_without_a_bundle_only_healthz_is_well(tmp_path: Path) -> None:
    with asking(create_app(Settings(artifacts=tmp_path))) as ask:
        assert ask("GET", "/healthz").status_code == 200
        answers = [
            ask("GET", "/readyz"),
            ask("GET", "/model"),
            ask("GET", "/recommend?user_id=42"),
            ask("POST", "/recommend", json={"user_id": "42"}),
            ask("GET", "/predict_rating?user_id=42&movie_id=m1"),
            ask("POST", "/predict_rating", json={"user_id": "42", "movie_id": "m1"}),
            *(ask("GET", path) for path in ("/movies", "/movies/m1", "/movies/m1/similar", "/genres")),
            *(ask("GET", path) for path in ("/popular", "/users/42")),
        ]
    for answer in answers:
        problem = check(answer, 503)
        assert problem.type == "urn:matinee:no-bundle"
        assert str(tmp_path / "CURRENT") in problem.detail
        assert answer.headers["retry-after"]


def test_openapi_declares_every_error_as_a_problem(ask: Ask) -> None:
    document = ask("GET", "/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            errors = {status for status in operation["responses"] if status >= "400"}
            assert errors or path in {"/healthz", "/metrics"}, (path, method)
            for status in errors:
                content = operation["responses"][status]["content"]
                assert content == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
    assert "HTTPValidationError" not in document["components"]["schemas"]
