import json
from pathlib import Path

import httpx
import pytest
from service_client import Ask, asking

from service.app import create_app
from service.http.compression import LEAST_BYTES
from service.settings import Settings

LONG, SHORT = "/movies?k=100", "/movies/m3"


def accepting(ask: Ask, path: str, value: str | None) -> httpx.Response:
    # An empty value, or httpx says what it takes.
    return ask("GET", path, headers={"Accept-Encoding": value or ""})


@pytest.mark.parametrize("value", ["gzip", "br, gzip;q=0.5", "deflate, gzip, *"])
def test_long_answers_are_compressed_for_who_accepts_it(value: str, ask: Ask) -> None:
    plain = accepting(ask, LONG, None)
    answer = accepting(ask, LONG, value)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json() == plain.json()
    assert int(answer.headers["content-length"]) < len(plain.content) / 3
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers["etag"] == plain.headers["etag"]


@pytest.mark.parametrize("value", [None, "identity", "br", "gzip;q=0", "gzip; q=0.0, br", "xgzip"])
def test_others_get_it_as_it_is(value: str | None, ask: Ask) -> None:
    answer = accepting(ask, LONG, value)
    assert "content-encoding" not in answer.headers
    assert len(answer.content) == int(answer.headers["content-length"]) > LEAST_BYTES


def test_short_answers_are_not_compressed(ask: Ask) -> None:
    answer = accepting(ask, SHORT, "gzip")
    assert "content-encoding" not in answer.headers
    assert len(answer.content) < LEAST_BYTES


def test_lists_problems_files_and_metrics_are_compressed_too(ask: Ask) -> None:
    for path in ("/recommend?user_id=42", "/", "/docs/swagger-ui.css", "/metrics", "/openapi.json"):
        assert accepting(ask, path, "gzip").headers["content-encoding"] == "gzip", path
    batch = {"items": [{"k": 0}] * 100}
    answer = ask("POST", "/recommend/batch", json=batch, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


def test_a_stream_is_compressed_as_it_comes(tiny_artifacts: Path, tmp_path: Path) -> None:
    settings = Settings(artifacts=tiny_artifacts, store=str(tmp_path / "feedback.sqlite3"))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        events = [{"user_id": str(at), "movie_id": "m3", "type": "watch"} for at in range(500)]
        assert ask("POST", "/feedback", json={"events": events}).status_code == 200
        answer = accepting(ask, "/feedback", "gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert len([json.loads(line) for line in answer.content.splitlines()]) == 500
