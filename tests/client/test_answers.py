"""The client's types of answers are those of the service, but that kinds are any text."""

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from matinee_client import answers
from service import schemas
from service.http import problem_details

NAMES = sorted(
    name
    for name, each in vars(answers).items()
    if isinstance(each, type) and each.__module__ == answers.__name__
)


def of_service() -> dict[str, type[BaseModel]]:
    """The models of the service by name."""
    modules = [
        import_module(each.name) for each in pkgutil.iter_modules(schemas.__path__, f"{schemas.__name__}.")
    ]
    return {
        name: each
        for module in (problem_details, *modules)
        for name, each in vars(module).items()
        if isinstance(each, type) and issubclass(each, BaseModel)
    }


def plain(schema: Any) -> Any:
    """A JSON schema without words and bounds, its closed lists of texts as any text."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "string" and schema.keys() & {"enum", "const"}:
        return {"type": "string"}
    if "properties" in schema:
        fields = {name: plain(field) for name, field in schema["properties"].items()}
        return {"fields": fields, "required": sorted(schema.get("required", ()))}
    kept = {"type", "format", "items", "anyOf", "$ref", "additionalProperties"}
    return {name: plain(value) for name, value in schema.items() if name in kept}


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_the_fields_of_the_service(name: str) -> None:
    ours = plain(getattr(answers, name).model_json_schema(mode="validation"))
    theirs = plain(of_service()[name].model_json_schema(mode="validation"))
    assert ours["fields"] == theirs["fields"]
    # What an older service does not send yet may have a default here, what this one leaves out must have.
    assert set(ours["required"]) <= set(theirs["required"])


def test_fields_and_kinds_that_a_newer_service_adds_are_accepted() -> None:
    item = {
        "rank": 1,
        "movie_id": "m1",
        "title": "One",
        "genres": [],
        "year": None,
        "score": 1.0,
        "rank_score": 1.0,
        "predicted_rating": None,
        "source": "a new kind",
        "a_new_field": 1,
    }
    answer: dict[str, object] = {
        "user_id": None,
        "bundle_id": "b1",
        "source": "a new kind",
        "items": [item],
        "more": {},
    }
    assert answers.RecommendAnswer.model_validate(answer).items[0].source == "a new kind"
