"""What may be cached has the name of what decides it, and is not sent to who has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from service_client import Ask, asking
from tiny_bundle import write_tiny_bundle
from tiny_model import TinyModel

from service.app import create_app
from service.settings import Settings

OF_MOVIES = ["/movies", "/movies/m3", "/movies/m3/similar", "/popular", "/genres"]
OF_USERS = ["/users", "/users/42", "/users/42?k=3"]
KEPT = [*OF_MOVIES, *OF_USERS, "/model"]
RATED = {"events": [{"user_id": "42", "movie_id": "m3", "type": "rating", "value": 2}]}
RETITLED = {"title": "Another (2001)"}


@pytest.fixture
def ask_live(tiny_artifacts: Path, tmp_path: Path) -> Iterator[Ask]:
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "feedback.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def etags(ask: Ask, paths: list[str]) -> dict[str, str]:
    return {path: ask("GET", path).headers["etag"] for path in paths}


@pytest.mark.parametrize("path", KEPT)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_gets_304_without_a_body(method: str, path: str, ask: Ask) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-cache"
    etag = answer.headers["etag"]
    for sent in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
        again = ask(method, path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == "private, no-cache"
    for sent in ('"other"', "", 'W/"other"'):
        assert ask("GET", path, headers={"If-None-Match": sent}).content == answer.content


def test_answers_to_users_have_no_name(ask: Ask) -> None:
    """Each has an id of its own, or depends on what was sent."""
    for path in ("/recommend?user_id=42", "/predict_rating?user_id=42&movie_id=m3", "/readyz"):
        assert "etag" not in ask("GET", path).headers


def test_another_replica_with_the_same_bundle_has_the_same_names(ask: Ask, ask_live: Ask) -> None:
    paths = [path for path in KEPT if path != "/model"]
    assert etags(ask, paths) == etags(ask_live, paths)


def test_what_was_posted_renames_what_it_changes(ask_live: Ask) -> None:
    def changed(do: Any) -> set[str]:
        before = etags(ask_live, KEPT)
        assert do().status_code == 200
        after = etags(ask_live, KEPT)
        return {path for path in KEPT if before[path] != after[path]}

    assert changed(lambda: ask_live("POST", "/feedback", json=RATED)) == {"/users/42", "/users/42?k=3"}
    titled = changed(lambda: ask_live("PUT", "/movies/m3", json=RETITLED))
    assert titled == {*OF_MOVIES, "/users/42", "/users/42?k=3"}
    assert changed(lambda: ask_live("PUT", "/movies/m3", json={"available": False})) >= {*OF_MOVIES}
    assert "/users" in changed(lambda: ask_live("DELETE", "/users/7"))


def test_another_bundle_renames_all(ask: Ask, tiny: TinyModel, tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, tiny, "tiny-2")
    with asking(create_app(Settings(artifacts=tmp_path), wait_for_bundle=True)) as other:
        before, after = etags(ask, KEPT), etags(other, KEPT)
    assert not {path for path in KEPT if before[path] == after[path]}
