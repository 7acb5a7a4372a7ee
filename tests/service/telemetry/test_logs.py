import json
import logging
import sys

import pytest

from service.telemetry.logs import Answered, JsonLines, Lines, request_id_in_context

ANSWERED = Answered('a"b\\c', "GET", "/movies/{movie_id}", 200, 0.0012345, "tiny-1")


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    info = sys.exc_info() if error else None
    made = logging.LogRecord("service.x", logging.WARNING, "x.py", 1, message, arguments, info)
    made.created = 1795219200.0625
    return made


def test_a_json_line_is_one_object_with_every_field() -> None:
    line = JsonLines(2).answered("info", ANSWERED)
    assert line.count("\n") == 1
    fields = json.loads(line)
    assert fields.pop("time").endswith("Z")
    assert fields == {
        "level": "info",
        "logger": "service.request",
        "message": "answered",
        "worker": 2,
        "request_id": 'a"b\\c',
        "method": "GET",
        "route": "/movies/{movie_id}",
        "status": 200,
        "duration_ms": 1.234,
        "bundle_id": "tiny-1",
    }


def test_no_bundle_is_null() -> None:
    assert json.loads(JsonLines(1).answered("info", ANSWERED._replace(bundle_id=None)))["bundle_id"] is None


def test_an_event_is_an_object_too_with_the_request_it_belongs_to() -> None:
    token = request_id_in_context.set("mine")
    fields = json.loads(JsonLines(1).format(record("two\nlines %s", "\ud800")))
    request_id_in_context.reset(token)
    assert fields == {
        "time": "2026-11-21T00:00:00.062Z",
        "level": "warning",
        "logger": "service.x",
        "message": "two\nlines \ud800",
        "worker": 1,
        "request_id": "mine",
    }
    assert "request_id" not in json.loads(JsonLines(1).format(record("later")))


@pytest.mark.parametrize("lines", [JsonLines(1), Lines(1)])
def test_an_error_comes_with_its_traceback(lines: Lines) -> None:
    try:
        1 // 0  # noqa: B018 raises
    except ZeroDivisionError:
        line = lines.format(record("failed", error=True))
    assert "Traceback" in line
    assert "ZeroDivisionError: integer" in line


def test_text_is_for_people() -> None:
    line = Lines(1).answered("info", ANSWERED)
    assert line.endswith(' INFO service.request: GET /movies/{movie_id} 200 1.234 ms tiny-1 (a"b\\c)\n')
    assert Lines(1).format(record("hello")) == "2026-11-21T00:00:00.062Z WARNING service.x: hello"
