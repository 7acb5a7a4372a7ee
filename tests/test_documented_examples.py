"""Every documented request is sent, and its answer has the documented form."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from documented_examples import PAGES, Example, differences, examples_of, rewritten
from service_client import Ask, asking
from service_process import REPOSITORY
from tiny_bundle import seal
from tiny_model import MOVIE_IDS, NUM_CANDIDATES

from service.app import create_app
from service.bundle.catalogue import CATALOGUE_FILE
from service.bundle.current import CURRENT_FILE
from service.bundle.golden_requests import GOLDEN_FILE
from service.settings import Settings

EXAMPLES = {
    f"{path.name}:{number}": example
    for path in PAGES
    for number, example in enumerate(examples_of(path.read_text(encoding="utf-8")), 1)
}


def movies_in(value: Any) -> Iterator[dict[str, Any]]:
    """Iterate over the objects of an answer that are movies."""
    if isinstance(value, dict):
        if "movie_id" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from movies_in(each)


def documented_movies() -> dict[str, dict[str, Any]]:
    """Collect the documented fields of each movie, by id."""
    movies: dict[str, dict[str, Any]] = {}
    for example in EXAMPLES.values():
        ids = re.findall(r'"(\d+)"|/movies/(\d+)|movie_id=(\d+)', f"{example.target} {example.body}")
        for movie_id in (found for groups in ids for found in groups if found):
            movies.setdefault(movie_id, {})
        if "type" not in example.answer:
            for movie in movies_in(example.answer):
                movies.setdefault(movie["movie_id"], {}).update(movie)
    return movies


@pytest.fixture(scope="module")
def ask_documented(tiny_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Send requests to the tiny model with the documented movie ids, titles, genres and years."""
    artifacts = Path(shutil.copytree(tiny_artifacts, tmp_path_factory.mktemp("documented") / "artifacts"))
    directory, movies = artifacts / "tiny-1", documented_movies()
    columns = json.loads((directory / CATALOGUE_FILE).read_text(encoding="utf-8"))
    golden = (directory / GOLDEN_FILE).read_text(encoding="utf-8")
    # From the last row on: the golden requests use the ids of the first rows.
    rows = range(NUM_CANDIDATES - 1, -1, -1)
    renamed = {}
    columns["genres"] = [["Drama"] for _ in rows]
    for row, (movie_id, movie) in zip(rows, movies.items(), strict=False):
        renamed[MOVIE_IDS[row]] = columns["movie_ids"][row] = movie_id
        columns["titles"][row] = movie.get("title", columns["titles"][row])
        columns["genres"][row] = movie.get("genres", ["Drama"])
        columns["years"][row] = movie.get("year")
    document = json.loads(
        golden,
        object_hook=lambda each: (
            each
            | ({"movie_id": renamed.get(each["movie_id"], each["movie_id"])} if "movie_id" in each else {})
        ),
    )
    (directory / CATALOGUE_FILE).write_text(json.dumps(columns), encoding="utf-8")
    (directory / GOLDEN_FILE).write_text(json.dumps(document), encoding="utf-8")
    seal(directory)
    with serving(artifacts, tmp_path_factory.mktemp("store")) as ask:
        yield ask


def serving(artifacts: Path, store: Path) -> Any:
    """Run an application that has loaded its bundle."""
    settings = Settings(artifacts=artifacts, store=str(store / "feedback.sqlite3"))
    return asking(create_app(settings, wait_for_bundle=True))


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_a_documented_request_has_the_documented_form_of_answer(
    example: Example, ask_documented: Ask
) -> None:
    status, answer = example.ask(ask_documented)
    assert (status, differences(example.answer, answer)) == (example.status, [])


def test_every_json_endpoint_has_an_example() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    shown = {(example.method, example.target.partition("?")[0]) for example in EXAMPLES.values()}
    for path, operations in paths.items():
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]*", path))
        methods = {method for method, target in shown if pattern.fullmatch(target)}
        assert methods & {method.upper() for method in operations} or path == "/metrics", path


def test_differences_are_detected() -> None:
    shown = {"items": [{"score": 1.5, "title": "One"}], "total": 1}
    assert differences(shown, {"items": [{"score": 7, "title": None}], "total": 2}) == []
    assert differences(shown, {"items": [], "total": 0})
    assert differences(shown, {"items": [{"score": 1.5}], "total": 1})
    assert differences(shown, shown | {"more": 1})
    assert differences(shown, {"items": [{"score": "high", "title": "One"}], "total": 1})
    assert differences({"a": 1, "…": "…"}, {"a": 2, "b": 3}) == []


def test_answers_of_a_page_are_updated_and_omissions_kept(ask: Ask) -> None:
    page = (
        "Text\n```console\n$ curl 'http://127.0.0.1:8000/readyz'\n{}\n```\n"
        "```console\n$ curl 'http://127.0.0.1:8000/genres'\n"
        '{"items": [{"…": "…"}, "…"], "…": "…"}\n```\nmore\n'
    )
    assert rewritten(page, ask) == (
        "Text\n```console\n$ curl 'http://127.0.0.1:8000/readyz'\n"
        '{"status": "ready", "bundle_id": "tiny-1"}\n```\n'
        "```console\n$ curl 'http://127.0.0.1:8000/genres'\n"
        '{"items": [{"…": "…"}, "…"], "…": "…"}\n```\nmore\n'
    )


@pytest.fixture(scope="module")
def ask_live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    artifacts = REPOSITORY / "artifacts"
    if not (artifacts / CURRENT_FILE).is_file():
        pytest.skip("no bundle in artifacts/: make fit")
    with serving(artifacts, tmp_path_factory.mktemp("live-store")) as ask:
        yield ask


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_live_bundle_has_the_documented_form_of_answers(example: Example, ask_live: Ask) -> None:
    status, answer = example.ask(ask_live)
    assert (status, differences(example.answer, answer)) == (example.status, [])
