"""What is recorded of each request to an application in this process, and how failures are answered."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from prometheus_text import samples, value
from service_client import Ask, asking
from starlette.middleware import Middleware

from service.app import create_app
from service.http.problems import unforeseen_problem
from service.served_bundle import ServedBundle
from service.settings import Settings
from service.telemetry.logs import Answered, Log
from service.telemetry.metrics import Telemetry
from service.telemetry.recording import RequestRecorder


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
def test_a_malformed_id_is_replaced(ask_recorded: Ask, sent: str) -> None:
    headers = {"X-Request-ID": sent.encode()}
    assert re.fullmatch(
        "[0-9a-f]{32}", ask_recorded("GET", "/healthz", headers=headers).headers["x-request-id"]
    )


def test_errors_carry_the_id_too(ask_recorded: Ask) -> None:
    for path, status in (("/nowhere", 404), ("/predict_rating", 422), ("/readyz", 503)):
        answer = ask_recorded("GET", path, headers={"X-Request-ID": "mine"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (status, "mine")


def test_every_route_is_its_template_and_every_other_path_is_one(
    app: Any, ask_recorded: Ask, answered: list[Answered]
) -> None:
    # Without a key a request is refused before it is routed.
    paths = [path for path in app.openapi()["paths"] if not path.startswith("/admin")]
    for path in paths:
        ask_recorded("GET", path.replace("{", "").replace("}", ""))
    assert [each.route for each in answered] == paths
    answered.clear()
    for path in ("/a", "/b/c", "/recommend//", "/%00"):
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


def test_a_line_has_how_a_request_ended_and_nothing_that_it_sent(
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


def test_the_stages_of_a_recommendation_are_timed(tiny_artifacts: Path) -> None:
    with asking(create_app(Settings(artifacts=tiny_artifacts), wait_for_bundle=True)) as ask_tiny:
        answer = ask_tiny("POST", "/recommend", json={"user_id": "42", "k": 3})
        ask_tiny("POST", "/predict_rating", json={"user_id": "42", "movie_id": "m97"})
        metrics = ask_tiny("GET", "/metrics").text
    assert answer.status_code == 200
    for stage, count in {
        "history": 2,
        "embed": 2,
        "index": 1,
        "rescore": 1,
        "rating": 2,
        "encode": 2,
    }.items():
        assert value(metrics, "stage_seconds_count", stage=stage) == count
        assert 0 < (value(metrics, "stage_seconds_sum", stage=stage) or 0) < 10
    assert value(metrics, "batch_size_sum", endpoint="recommend") == 1
    assert value(metrics, "batch_size_sum", endpoint="predict_rating") == 1
    assert value(metrics, "queue_wait_seconds_count") == 2
    assert value(metrics, "items_served_total", source="personalized") == 3
    assert value(metrics, "bundle_info", bundle_id="tiny-1") == 1


def test_searches_are_timed(tiny_artifacts: Path) -> None:
    with asking(create_app(Settings(artifacts=tiny_artifacts), wait_for_bundle=True)) as ask_tiny:
        ask_tiny("GET", "/movies?query=twinz")
        ask_tiny("GET", "/popular")
        ask_tiny("GET", "/movies/m17/similar")
        misspelt = {"user_id": "42", "movie_title": "Twinz (1988)"}
        ask_tiny("POST", "/predict_rating", json=misspelt)
        ask_tiny("POST", "/predict_rating/batch", json={"pairs": [misspelt, misspelt]})
        metrics = ask_tiny("GET", "/metrics").text
    for stage, count in {"title_search": 4, "similar_movies": 1}.items():
        assert value(metrics, "stage_seconds_count", stage=stage) == count
        assert 0 < (value(metrics, "stage_seconds_sum", stage=stage) or 0) < 10


def test_an_unforeseen_error_is_counted_and_logged_with_its_id_and_traceback(
    ask_recorded: Ask,
    answered: list[Answered],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: ServedBundle) -> None:
        raise ZeroDivisionError("not foreseen")

    monkeypatch.setattr(ServedBundle, "recommender", property(fail))
    with caplog.at_level(logging.ERROR):
        answer = ask_recorded("GET", "/readyz", headers={"X-Request-ID": "mine"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == answered[0].request_id == "mine"
    assert answered[0].status == 500
    assert "ZeroDivisionError: not foreseen" in caplog.text
    metrics = ask_recorded("GET", "/metrics").text
    assert value(metrics, "request_seconds_count", method="GET", route="/readyz", status="500") == 1


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def failing(answered: list[Answered], telemetry: Telemetry) -> FastAPI:
    """An application with the recorder as its only middleware, whose routes fail."""
    log = SimpleNamespace(answered=answered.append)
    recorder = Middleware(
        RequestRecorder, telemetry=telemetry, unforeseen=unforeseen_problem(), log=cast("Log", log)
    )
    app = FastAPI(middleware=[recorder])

    @app.get("/fails/{name}")
    async def fails(name: str) -> None:
        raise ZeroDivisionError(f"not foreseen by {name}")

    @app.get("/fails_midway")
    async def fails_midway() -> StreamingResponse:
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise ZeroDivisionError("not foreseen")

        return StreamingResponse(body())

    @app.get("/cancelled")
    async def cancelled() -> None:
        raise asyncio.CancelledError

    return app


def messages(app: FastAPI, path: str) -> list[dict[str, Any]]:
    """The ASGI messages that answer a request; whatever `app` raises is raised here."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        # The client stays: after its request there is nothing to receive.
        return next(requests, None) or await asyncio.Event().wait()

    headers = [(b"host", b"service"), (b"x-request-id", b"mine")]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(app(scope, receive, send))
    return sent


def test_an_unhandled_exception_is_answered_as_a_problem_and_goes_no_further(
    failing: FastAPI, answered: list[Answered], telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    start, body = messages(failing, "/fails/secret")
    headers = dict(start["headers"])
    assert start["status"] == 500
    assert headers[b"content-type"] == b"application/problem+json"
    assert headers[b"x-request-id"] == b"mine"
    problem = json.loads(body["body"])
    assert problem["status"] == 500
    assert problem["title"] == "Internal error"
    assert "secret" not in body["body"].decode()
    assert [each[:4] for each in answered] == [("mine", "GET", "/fails/{name}", 500)]
    labels = {"method": "GET", "route": "/fails/{name}", "status": "500"}
    assert value(telemetry.exposition("")[0].decode(), "request_seconds_count", **labels) == 1
    [logged] = caplog.records
    assert logged.exc_info is not None
    assert logged.exc_info[0] is ZeroDivisionError


def test_the_same_failure_is_answered_the_same_twice(failing: FastAPI) -> None:
    assert messages(failing, "/fails/once") == messages(failing, "/fails/twice")


def test_an_exception_after_the_answer_began_is_logged_and_ends_it(
    failing: FastAPI, answered: list[Answered], caplog: pytest.LogCaptureFixture
) -> None:
    start, body = messages(failing, "/fails_midway")
    assert (start["status"], body["body"], body["more_body"]) == (200, b"begun", True)
    assert [each[:4] for each in answered] == [("mine", "GET", "/fails_midway", 200)]
    assert [record.exc_info and record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_a_request_that_is_cancelled_is_recorded_as_unanswered(
    failing: FastAPI, answered: list[Answered]
) -> None:
    with pytest.raises(asyncio.CancelledError):
        messages(failing, "/cancelled")
    assert [each[:4] for each in answered] == [("mine", "GET", "/cancelled", 499)]


def test_an_exception_of_another_middleware_is_answered_too(answered: list[Answered]) -> None:
    def fails(_: Any) -> Any:
        async def fail(*_: Any) -> None:
            raise ZeroDivisionError

        return fail

    log = cast("Log", SimpleNamespace(answered=answered.append))
    recorder = Middleware(RequestRecorder, telemetry=Telemetry(), unforeseen=unforeseen_problem(), log=log)
    start, _ = messages(FastAPI(middleware=[recorder, Middleware(fails)]), "/any")
    assert start["status"] == 500
    assert [each[:4] for each in answered] == [("mine", "GET", "unmatched", 500)]
