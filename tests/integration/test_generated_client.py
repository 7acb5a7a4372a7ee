"""A client that `openapi-python-client` makes of the OpenAPI document, called against a running service."""

import os
import subprocess
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_process import ServiceProcess, running_service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GENERATOR = "openapi-python-client"
# Streams are bytes to it: it knows neither NDJSON nor CSV.
CONFIG = """
content_type_overrides:
  application/x-ndjson: application/octet-stream
  text/csv: application/octet-stream
"""
USES = """
import sys
from matinee_generated import Client
from matinee_generated.api.feedback import get_user_feedback, post_feedback, put_movie
from matinee_generated.api.movies_and_users import get_movie, list_popular_movies, search_movies
from matinee_generated.api.operation import check_ready, get_model
from matinee_generated.api.recommendations import (
    predict_rating, predict_rating_by_url, recommend, recommend_batch, recommend_by_url,
)
from matinee_generated.models import (
    FeedbackBody, FeedbackEvent, FeedbackEventType, HistoryEntryBody, MovieBody, Problem, RatingBody,
    RecommendBatch, RecommendBody,
)

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
assert check_ready.sync(client=client).bundle_id == "tiny-1"
assert get_model.sync(client=client).feedback == "on"
history = [HistoryEntryBody(movie_id="m3", rating=5.0), HistoryEntryBody(movie_id=17)]
answer = recommend.sync(client=client, body=RecommendBody(history=history, k=3, explain=True))
assert [item.rank for item in answer.items] == [1, 2, 3]
assert answer.ignored == ["17"]
assert all(isinstance(reason.title, str) for item in answer.items for reason in item.because)
assert recommend_by_url.sync(client=client, user_id="42", k=2).items[1].rank == 2
both = RecommendBatch(items=[RecommendBody(user_id="42"), RecommendBody(k=0)])
first, second = recommend_batch.sync(client=client, body=both).items
assert (first.user_id, second.error.status) == ("42", 422)
stars = predict_rating.sync(client=client, body=RatingBody(user_id="42", movie_id="m3")).predicted_rating
assert predict_rating_by_url.sync(client=client, user_id="42", movie_id="m3").predicted_rating == stars
unknown = predict_rating_by_url.sync(client=client, movie_title="Twinz")
assert isinstance(unknown, Problem) and unknown.suggestions[0].display_title
assert search_movies.sync(client=client, query="twins", k=2).total == 3
assert list_popular_movies.sync(client=client, genres_any=["War"]).items
assert get_movie.sync("m3", client=client).movie_id == "m3"
rating = FeedbackEventType.RATING
events = [FeedbackEvent(user_id="ana", movie_id="m3", type_=rating, value=4.0)]
assert post_feedback.sync(client=client, body=FeedbackBody(events=events)).stored == 1
assert get_user_feedback.sync("ana", client=client).items[0].value == 4
assert put_movie.sync("new", client=client, body=MovieBody(title="New (2001)")).display_title == "New"
print("called")
"""


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Of an environment with the generator alone."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", GENERATOR], capture_output=True, text=True, check=False
    )
    if installed.returncode:
        pytest.skip(f"{GENERATOR} cannot be installed: {installed.stderr[-300:]}")
    return python


@pytest.fixture
def service(tiny_artifacts: Path, tmp_path: Path) -> Iterator[ServiceProcess]:
    store = str(tmp_path / "feedback.sqlite3")
    with running_service(tiny_artifacts, tmp_path / "service.log", store=store) as service:
        service.wait_until_ready()
        yield service


def test_it_is_generated_whole_and_every_call_is_answered(
    python: Path, service: ServiceProcess, tmp_path: Path
) -> None:
    document, config, target = (
        tmp_path / "openapi.json",
        tmp_path / "config.yml",
        tmp_path / "matinee_generated",
    )
    document.write_bytes(service.client.get("/openapi.json").content)
    config.write_text(CONFIG, encoding="utf-8")
    command: list[Path | str] = [
        python.with_name(GENERATOR),
        "generate",
        "--path",
        document,
        "--config",
        config,
    ]
    made = subprocess.run(
        [*command, "--meta", "none", "--output-path", target],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"},
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "arning" not in made.stdout + made.stderr
    called = subprocess.run(
        [python, "-c", USES, f"http://127.0.0.1:{service.port}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (called.stdout, called.returncode) == ("called\n", 0), called.stderr
