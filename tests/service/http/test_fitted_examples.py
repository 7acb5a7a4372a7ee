"""An example of `/docs` that is sent unchanged gets an answer, whatever data the bundle is of."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from service_client import Ask, asking
from tiny_model import MOVIE_IDS, USER_IDS

from service.app import create_app
from service.http.fitted_examples import NEW_MOVIE, NEW_USER
from service.settings import Settings

ADMIN = {"X-API-Key": "operator"}
DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = [(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations]


@pytest.fixture(scope="module")
def ask(tiny_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    settings = Settings(
        artifacts=tiny_artifacts,
        store=str(tmp_path_factory.mktemp("store") / "feedback.sqlite3"),
        admin_keys=SecretStr("operator"),
    )
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_each_example_is_answered(method: str, path: str, ask: Ask) -> None:
    document = ask("GET", "/openapi.json").json()
    operation = document["paths"][path][method]
    given = [each for each in operation.get("parameters", ()) if "example" in each]
    required = {each["name"] for each in operation.get("parameters", ()) if each["required"]}
    assert required <= {each["name"] for each in given}
    for each in given:
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", each["example"])
    query = {each["name"]: each["example"] for each in given if each["in"] == "query"}
    bodies = operation.get("requestBody", {}).get("content", {None: None})
    for kind, content in bodies.items():
        sent: dict[str, Any] = {"params": query, "headers": {}}
        if kind == "application/json":
            [sent["json"]] = resolved(document, content["schema"])["examples"]
        elif kind is not None:
            sent |= {"content": content["schema"]["example"], "headers": {"Content-Type": kind}}
        if path.startswith("/admin"):
            sent["headers"] |= ADMIN
        answer = ask(method.upper(), path, **sent)
        expected = {409} if path == "/admin/rollback" else {200}  # nothing was live before
        assert answer.status_code in expected, answer.text
        assert not answer.headers["content-type"].startswith("application/json") or is_whole(answer.json())


def is_whole(answer: Any) -> bool:
    """Whether nothing of it was refused, and lists have something in them."""
    refused = [answer.get("rejected"), answer.get("ignored"), answer.get("num_rejected")]
    items = answer.get("items", [1])
    is_empty = not items and answer.get("total") is None
    return not any(refused) and not is_empty and not any("error" in each for each in items if each != 1)


def test_what_writes_is_about_nobody_and_nothing_that_is_there() -> None:
    assert NEW_USER not in USER_IDS
    assert NEW_MOVIE not in MOVIE_IDS
    for method, path in OPERATIONS:
        for parameter in DOCUMENT["paths"][path][method].get("parameters", ()):
            if method in {"delete", "put"} and path.count("{") == 1:
                assert parameter["example"] in {NEW_USER, NEW_MOVIE}


def test_they_are_of_the_bundle_that_is_served(ask: Ask, tiny_artifacts: Path) -> None:
    popular = ask("GET", "/popular?k=1").json()["items"][0]["movie_id"]
    example = ask("GET", "/openapi.json").json()["components"]["schemas"]["RecommendBody"]["examples"][0]
    assert example["history"][0] == {"movie_id": popular, "rating": 5.0}
    without = create_app(Settings(artifacts=tiny_artifacts / "nothing"))
    assert without.openapi()["components"]["schemas"]["RecommendBody"]["examples"][0]["history"][0] == {
        "movie_id": "50",
        "rating": 5,
    }
