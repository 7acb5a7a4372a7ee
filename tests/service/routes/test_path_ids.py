"""Any text is an id, also in a path."""

from urllib.parse import quote

import pytest
from service_client import Ask
from tiny_model import MOVIE_IDS, USER_IDS


@pytest.mark.parametrize("movie_id", ["m1", *MOVIE_IDS[5:8]])
def test_a_movie_is_found_by_an_unusual_id(movie_id: str, ask: Ask) -> None:
    path = f"/movies/{quote(movie_id, safe='')}"
    assert ask("GET", path).json()["movie_id"] == movie_id
    assert ask("GET", f"{path}/similar").json()["movie_id"] == movie_id


@pytest.mark.parametrize("user_id", USER_IDS)
def test_a_user_is_found_by_an_unusual_id(user_id: str, ask: Ask) -> None:
    assert ask("GET", f"/users/{quote(user_id, safe='')}").json()["user_id"] == user_id


@pytest.mark.parametrize(
    "movie_id", ["a/similar", "/", "a/b/c", "%2F", "a?b", "a#b", ".", "..", " ", "\U0010ffff"]
)
def test_an_id_of_any_signs_is_read_as_it_is(movie_id: str, ask: Ask) -> None:
    quoted = quote(movie_id, safe="").replace(".", "%2E")
    for path in (f"/movies/{quoted}", f"/movies/{quoted}/similar"):
        problem = ask("GET", path).json()
        assert problem["type"] == "urn:matinee:unknown-movie"
        assert f"has the id {movie_id!r};" in problem["detail"]


def test_bytes_that_are_no_text_are_an_unknown_id(ask: Ask) -> None:
    assert ask("GET", "/movies/%ff").status_code == 404
    assert ask("GET", "/users/%ff%fe").status_code == 404


def test_a_slash_that_is_not_quoted_parts_the_path(ask: Ask) -> None:
    assert ask("GET", "/movies/m1/m2").json()["type"] == "about:blank"


def test_requests_of_all_ids_are_counted_as_one_route(ask: Ask) -> None:
    ask("GET", "/movies/a%2Fb/similar")
    metrics = ask("GET", "/metrics").text
    assert 'route="/movies/{movie_id}/similar"' in metrics
    assert "a%2Fb" not in metrics
