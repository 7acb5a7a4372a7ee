"""Spans of requests, as an exporter gets them."""

from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from service_client import Ask, asking
from starlette.middleware import Middleware

from service.app import create_app
from service.http.problems import unforeseen_problem
from service.settings import Settings
from service.telemetry.recording import RequestRecorder
from service.telemetry.tracing import TracedTelemetry, Tracing, note_request_id

memory = pytest.importorskip(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="optional: requirements/tracing.txt"
)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def spans() -> Any:
    return memory.InMemorySpanExporter()


@pytest.fixture
def tracing(spans: Any) -> Tracing:
    return Tracing(spans)


@pytest.fixture
def telemetry(tracing: Tracing) -> TracedTelemetry:
    return TracedTelemetry(1, tracing)


@pytest.fixture
def ask_traced(
    tiny_artifacts: Path, tracing: Tracing, telemetry: TracedTelemetry, spans: Any
) -> Iterator[Ask]:
    settings = Settings(artifacts=tiny_artifacts)
    app = create_app(settings, telemetry=telemetry, tracing=tracing, wait_for_bundle=True)
    with asking(app) as ask:
        spans.clear()
        yield ask


def test_a_request_is_a_span_with_its_route_status_and_id(ask_traced: Ask, spans: Any) -> None:
    ask_traced("POST", "/recommend", json={"user_id": "42"}, headers={"X-Request-ID": "mine"})
    span = spans.get_finished_spans()[-1]
    assert span.name == "POST /recommend"
    assert span.resource.attributes["service.name"] == "matinee"
    assert span.attributes["http.route"] == "/recommend"
    assert span.attributes["http.response.status_code"] == 200
    assert span.attributes["matinee.request_id"] == "mine"


def test_a_request_that_failed_has_its_id_on_the_span_and_no_message(
    tracing: Tracing, telemetry: TracedTelemetry, spans: Any
) -> None:
    recorder = Middleware(
        RequestRecorder, telemetry=telemetry, unforeseen=unforeseen_problem(), begun=note_request_id
    )
    app = FastAPI(middleware=[recorder], telemetry=tracing.config)

    @app.get("/fails")
    async def fails() -> None:
        raise ZeroDivisionError("secret")

    with asking(app) as ask:
        ask("GET", "/fails", headers={"X-Request-ID": "mine"})
    [span] = spans.get_finished_spans()
    assert span.attributes["matinee.request_id"] == "mine"
    assert span.attributes["http.route"] == "/fails"
    assert span.attributes["http.response.status_code"] == 500
    assert span.attributes["error.type"] == "500"
    assert "secret" not in span.to_json()


def test_a_request_belongs_to_the_trace_of_its_caller(ask_traced: Ask, spans: Any) -> None:
    ask_traced("GET", "/healthz", headers={"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"})
    span = spans.get_finished_spans()[-1]
    assert f"{span.context.trace_id:032x}" == TRACE_ID
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"


def test_no_span_has_a_user_id_a_key_or_a_title(ask_traced: Ask, spans: Any) -> None:
    ask_traced("GET", "/recommend?user_id=secret", headers={"X-API-Key": "secret"})
    ask_traced("POST", "/recommend", json={"user_id": "secret", "k": "secret"})
    ask_traced("GET", "/users/secret")
    ask_traced("POST", "/predict_rating", json={"user_id": "secret", "movie_title": "secret"})
    exported = [span.to_json() for span in spans.get_finished_spans()]
    assert len(exported) >= 4
    assert "secret" not in "".join(exported)


def test_stages_are_spans_below_the_request_one_after_another(
    tracing: Tracing, telemetry: TracedTelemetry, spans: Any
) -> None:
    with tracing.tracer.start_as_current_span("POST /recommend"):
        telemetry.batch("recommend", 3)
        telemetry.stage("embed", 0.25)
        telemetry.stage("index", 0.5)
    embed, index, request = spans.get_finished_spans()
    assert (embed.name, index.name) == ("embed", "index")
    assert embed.parent.span_id == index.parent.span_id == request.context.span_id
    assert embed.end_time - embed.start_time == 250_000_000
    assert index.start_time == embed.end_time
    assert index.attributes == {"matinee.batch_size": 3}


def test_a_request_s_wait_and_stages_are_below_it(ask_traced: Ask, spans: Any) -> None:
    ask_traced("POST", "/recommend", json={"user_id": "42"})
    *below, request = spans.get_finished_spans()
    names = [span.name for span in below]
    assert names[0] == "queue"
    assert {"history", "embed", "index", "rating", "encode"} <= set(names)
    assert all(span.parent.span_id == request.context.span_id for span in below)
    assert all(request.start_time <= span.start_time <= span.end_time for span in below)
    assert max(span.end_time for span in below) <= request.end_time


def test_a_search_is_a_span_below_its_request_whatever_its_thread_did_before(
    ask_traced: Ask, spans: Any
) -> None:
    for path, name in (("/movies?query=twinz", "title_search"), ("/movies/m17/similar", "similar_movies")):
        ask_traced("POST", "/recommend", json={"user_id": "42"})
        spans.clear()
        ask_traced("GET", path)
        search, request = spans.get_finished_spans()
        assert (search.name, search.parent.span_id) == (name, request.context.span_id)
        assert request.start_time <= search.start_time < search.end_time <= request.end_time


def test_a_batch_is_traced_for_the_first_request_that_is(
    tracing: Tracing, telemetry: TracedTelemetry
) -> None:
    untraced = copy_context()
    with tracing.tracer.start_as_current_span("GET /recommend"):
        traced = copy_context()
        assert telemetry.choose([untraced, traced]) is traced
    assert telemetry.choose([untraced]) is untraced


def test_a_stage_without_a_request_is_no_trace_of_its_own(telemetry: TracedTelemetry, spans: Any) -> None:
    telemetry.stage("embed", 0.25)
    assert spans.get_finished_spans() == ()
