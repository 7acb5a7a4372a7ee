"""The OpenAPI document is complete: somebody who reads nothing else knows what to send and what may come."""

from collections.abc import Iterator
from typing import Any

import pytest

from service.app import create_app
from service.settings import Settings

DOCUMENT = create_app(Settings()).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
BOUNDS = {
    "string": ("maxLength", "enum", "const", "format", "pattern"),
    "integer": ("maximum", "enum"),
    "number": ("maximum", "exclusiveMaximum"),
    "array": ("maxItems",),
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return SCHEMAS[name] if name else schema


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and whatever it may be instead or is made of, without the fields of objects."""
    schema = resolved(schema)
    yield schema
    for choice in schema.get("anyOf", ()):
        yield from parts(choice)
    if "items" in schema:
        yield from parts(schema["items"])


def reached(schema: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below a schema, once, by its name."""
    for part in parts(schema):
        title = part.get("title", "")
        if part.get("properties") and title not in seen:
            seen.add(title)
            for name, field in part["properties"].items():
                yield f"{title}.{name}", field
                yield from reached(field, seen)


def sent() -> dict[str, dict[str, Any]]:
    """Every field of a body and every parameter."""
    fields = {}
    for name, operation in OPERATIONS.items():
        for parameter in operation.get("parameters", ()):
            fields[f"{name} {parameter['name']}"] = parameter["schema"] | {
                key: parameter[key] for key in ("description", "example", "examples") if key in parameter
            }
        for content in operation.get("requestBody", {}).get("content", {}).values():
            fields |= dict(reached(content["schema"], set()))
    return fields


SENT = sent()
FIELDS = SENT | {
    f"{name}.{field}": schema
    for name, each in SCHEMAS.items()
    for field, schema in each.get("properties", {}).items()
}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_there_is_something_to_walk() -> None:
    assert len(SENT) > 40
    assert len(FIELDS) > 100


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_description_and_an_example(name: str) -> None:
    field = FIELDS[name]
    assert field.get("description") or resolved(field).get("description")
    shows_itself = {"example", "examples", "enum", "const", "default"}
    # What is an object is shown by its own fields.
    assert any(shows_itself & set(part) or "properties" in part for part in (field, *parts(field)))


@pytest.mark.parametrize("name", SENT)
def test_every_field_that_is_sent_has_bounds(name: str) -> None:
    for part in parts(SENT[name]):
        bounds = BOUNDS.get(part.get("type", ""))
        assert bounds is None or set(bounds) & set(part), part


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_says_what_it_does_and_how_it_fails(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    answers = operation["responses"]
    expected = set()
    if "requestBody" in operation:
        expected |= {"413", "422"}
    if operation.get("parameters"):
        expected |= {"422"}
    if name.split()[1] not in {"/healthz", "/metrics"} and "/admin" not in name:
        expected |= {"503"}
    if "security" in operation:
        expected |= {"401", "403"}
    assert expected <= set(answers)
    for status, answer in answers.items():
        assert answer["description"]
        if status >= "400":
            [content] = answer["content"].items()
            assert content == (
                "application/problem+json",
                {"schema": {"$ref": "#/components/schemas/Problem"}},
            )
