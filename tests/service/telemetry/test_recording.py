"""What is noted of each request, asked of an application in this process."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_text import samples, value
from service_client import Ask, asking

from service.app import create_app
from service.settings import Settings
from service.telemetry.logs import Answered, Log


@pytest.fixture
def answered() -> list[Answered]:
    return []


@pytest.fixture
def app(tmp_path: Path, answered: list[Answered]) -> Any:
    return create_app(
        Settings(artifacts=tmp_path), log=cast("Log", SimpleNamespace(answered=answered.append))
    )


@pytest.fixture
def ask_recorded(app: Any) -> Iterator[Ask]:
    with asking(app) as ask:
        yield ask


def test_a_request_without_an_id_gets_one_of_its_own(ask_recorded: Ask, answered: list[Answered]) -> None:
    ids = [ask_recorded("GET", "/healthz").headers["x-request-id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
    assert [each.request_id for each in answered] == ids


def test_an_id_that_was_sent_is_kept_and_returned(ask_recorded: Ask, answered: list[Answered]) -> None:
    sent = 'app-7/"quoted"\\'
    assert ask_recorded("GET", "/healthz", headers={"X-Request-ID": sent}).headers["x-request-id"] == sent
    assert answered[0].request_id == sent


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "caf\u00e9", "tab\tbed"])
def test_an_id_that_is_not_sane_is_replaced(ask_recorded: Ask, sent: str) -> None:
    headers = {"X-Request-ID": sent.encode()}
    assert re.fullmatch(
        "[0-9a-f]{32}", ask_recorded("GET", "/healthz", headers=headers).headers["x-request-id"]
    )


def test_errors_carry_the_id_too(ask_recorded: Ask) -> None:
    for path, status in (("/nowhere", 404), ("/recommend", 422), ("/readyz", 503)):
        answer = ask_recorded("GET", path, headers={"X-Request-ID": "mine"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")


def test_every_route_is_its_template_and_every_other_path_is_one(
    app: Any, ask_recorded: Ask, answered: list[Answered]
) -> None:
    # Who has no key is refused before a route is looked for.
    paths = [path for path in app.openapi()["paths"] if not path.startswith("/admin")]
    for path in paths:
        ask_recorded("GET", path.replace("{", "").replace("}", ""))
    assert [each.route for each in answered] == paths
    answered.clear()
    for path in ("/a", "/b/c", "/recommend/", "/%00"):
        ask_recorded("GET", path)
    assert {each.route for each in answered} == {"unmatched"}


def test_series_do_not_grow_with_paths_and_methods(ask_recorded: Ask) -> None:
    def count() -> int:
        return len(samples(ask_recorded("GET", "/metrics").text))

    for method, path in (("GET", "/x"), ("BREW", "/x"), ("BREW", "/healthz"), ("GET", "/metrics")):
        ask_recorded(method, path)
    before = count()
    for number in range(20):
        ask_recorded("GET", f"/x{number}")
        ask_recorded(f"BREW{number}", "/healthz")
    assert count() == before


def test_a_line_says_how_it_ended_and_nothing_of_what_was_asked(
    tiny_artifacts: Path, answered: list[Answered]
) -> None:
    log = cast("Log", SimpleNamespace(answered=answered.append))
    app = create_app(Settings(artifacts=tiny_artifacts), log=log, wait_for_bundle=True)
    with asking(app) as ask_tiny:
        ask_tiny("GET", "/recommend?user_id=secret-user", headers={"X-API-Key": "secret-key"})
        ask_tiny("POST", "/predict_rating", json={"user_id": "secret-user", "movie_title": "secret"})
    first, second = answered
    assert first[1:4] == ("GET", "/recommend", 200)
    assert second[1:4] == ("POST", "/predict_rating", 404)
    assert first.bundle_id == second.bundle_id == "tiny-1"
    assert 0 < first.seconds < 10
    assert "secret" not in repr(answered)


def test_what_a_recommendation_took_is_counted(tiny_artifacts: Path) -> None:
    with asking(create_app(Settings(artifacts=tiny_artifacts), wait_for_bundle=True)) as ask_tiny:
        answer = ask_tiny("POST", "/recommend", json={"user_id": "42", "k": 3})
        ask_tiny("POST", "/predict_rating", json={"user_id": "42", "movie_id": "m97"})
        told = ask_tiny("GET", "/metrics").text
    assert answer.status_code == 200
    for stage, count in {
        "history": 2,
        "embed": 2,
        "index": 1,
        "rescore": 1,
        "rating": 2,
        "encode": 2,
    }.items():
        assert value(told, "stage_seconds_count", stage=stage) == count
        assert 0 < (value(told, "stage_seconds_sum", stage=stage) or 0) < 10
    assert value(told, "batch_size_sum", endpoint="recommend") == 1
    assert value(told, "batch_size_sum", endpoint="predict_rating") == 1
    assert value(told, "queue_wait_seconds_count") == 2
    assert value(told, "items_served_total", source="personalized") == 3
    assert value(told, "bundle_info", bundle_id="tiny-1") == 1


def test_what_searches_took_is_counted(tiny_artifacts: Path) -> None:
    with asking(create_app(Settings(artifacts=tiny_artifacts), wait_for_bundle=True)) as ask_tiny:
        ask_tiny("GET", "/movies?query=twinz")
        ask_tiny("GET", "/popular")
        ask_tiny("GET", "/movies/m17/similar")
        misspelt = {"user_id": "42", "movie_title": "Twinz (1988)"}
        ask_tiny("POST", "/predict_rating", json=misspelt)
        ask_tiny("POST", "/predict_rating/batch", json={"pairs": [misspelt, misspelt]})
        told = ask_tiny("GET", "/metrics").text
    for stage, count in {"title_search": 4, "similar_movies": 1}.items():
        assert value(told, "stage_seconds_count", stage=stage) == count
        assert 0 < (value(told, "stage_seconds_sum", stage=stage) or 0) < 10


def test_an_unforeseen_error_is_counted_and_logged_with_its_id_and_traceback(
    app: Any, ask_recorded: Ask, answered: list[Answered], caplog: pytest.LogCaptureFixture
) -> None:
    class Reloader:
        @property
        def recommender(self) -> None:
            raise ZeroDivisionError("not foreseen")

    app.state.reloader = Reloader()
    with caplog.at_level(logging.ERROR):
        answer = ask_recorded("GET", "/readyz", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == answered[0].request_id == "mine"
    assert answered[0].status == 500
    assert "ZeroDivisionError: not foreseen" in caplog.text
    told = ask_recorded("GET", "/metrics").text
    assert value(told, "request_seconds_count", method="GET", route="/readyz", status="500") == 1
