"""What every operation has in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from service_client import Ask, asking

from service.app import create_app
from service.settings import Settings

OPERATIONS = [
    (method.upper(), path)
    for path, operations in create_app(Settings()).openapi()["paths"].items()
    for method in operations
]
READ = [
    *("/recommend", "/popular", "/movies/m3", "/movies/m3/similar", "/users/42"),
    *("/model", "/healthz", "/metrics"),
]


@pytest.mark.parametrize("path", READ)
def test_head_is_answered_as_get_is_without_a_body(path: str, ask: Ask) -> None:
    answer, whole = ask("HEAD", path), ask("GET", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == whole.headers["content-type"]
    assert int(answer.headers["content-length"]) > 0


def test_head_of_what_is_only_posted_is_405(ask: Ask) -> None:
    assert ask("HEAD", "/recommend/batch").status_code == 405
    assert ask("HEAD", "/movies/nowhere").status_code == 404


@pytest.mark.parametrize("path", READ)
def test_a_slash_at_the_end_changes_nothing(path: str, ask: Ask) -> None:
    answer, without = ask("GET", f"{path}/"), ask("GET", path)
    assert answer.status_code == without.status_code == 200
    if path != "/metrics":
        assert answer.content == without.content


def test_only_one_slash_is_left_out_and_none_that_ends_in_an_empty_id(ask: Ask) -> None:
    assert ask("POST", "/recommend/", json={"user_id": "42"}).status_code == 200
    for path in ("/recommend//", "/movies//similar//"):
        assert ask("GET", path).status_code == 404, path
    assert ask("GET", "/movies/").json()["movie_id"] == ""
    assert ask("GET", "/movies//similar/").json()["movie_id"] == ""


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_an_unknown_query_parameter_is_refused_everywhere(method: str, path: str, ask: Ask) -> None:
    filled = path.replace("{user_id}", "42").replace("{movie_id}", "m3")
    answer = ask(method, filled, params={"zzzzz": ""}, json=None if method in {"GET", "DELETE"} else {})
    if path.startswith("/admin"):
        assert answer.status_code == 403
        return
    assert answer.status_code == 422
    [error] = [each for each in answer.json()["errors"] if each["field"] == "query.zzzzz"]
    assert error["message"].startswith("unknown; expected")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/recommend?userid=42", "unknown; did you mean `user_id`?"),
        ("/recommend?genre=War", "unknown; did you mean `genres_any`?"),
        ("/movies?q=twins", "unknown; did you mean `query`?"),
        ("/popular?limit=3", "unknown; did you mean `k`?"),
        ("/users/42?offest=3", "unknown; did you mean `offset`?"),
        ("/genres?k=3", "unknown; expected none here"),
    ],
)
def test_the_parameter_that_was_meant_is_named(path: str, message: str, ask: Ask) -> None:
    assert [each["message"] for each in ask("GET", path).json()["errors"]] == [message]


def test_the_page_may_be_linked_to_with_any_query(ask: Ask) -> None:
    assert ask("GET", "/?utm_source=mail").status_code == 200


@pytest.fixture
def guarded(tiny_artifacts: Path, tmp_path: Path) -> Iterator[Ask]:
    settings = Settings(
        artifacts=tiny_artifacts,
        store=str(tmp_path / "feedback.sqlite3"),
        api_keys=SecretStr("reads"),
        write_keys=SecretStr("writes"),
        open="metrics",
    )
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def test_a_slash_at_the_end_opens_nothing_and_closes_nothing(guarded: Ask) -> None:
    reads = {"X-API-Key": "reads"}
    event = {"events": [{"user_id": "a", "movie_id": "m3", "type": "watch"}]}
    for path in ("/feedback", "/feedback/"):
        assert guarded("POST", path, json=event, headers=reads).status_code == 403
    for path in ("/movies", "/movies/", "/movies/%2F"):
        assert guarded("POST", path, json={"movies": []}, headers=reads).status_code in {403, 405}
    assert guarded("DELETE", "/users/42/", headers=reads).status_code == 403
    for path in ("/metrics/", "/healthz/", "/metrics"):
        assert guarded("GET", path).status_code == 200
    assert guarded("GET", "/model/").status_code == 401
