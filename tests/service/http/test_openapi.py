"""Requests made from the OpenAPI document: none is answered by a 5xx, or otherwise than documented."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import CheckFunction
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from service_client import Ask, asking

from service.app import create_app
from service.settings import Settings

SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi())


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_bytes(_: object, value: object) -> bytes:
    return str(value).encode(errors="replace")


# What no schema of a single field can say, and so schemathesis cannot know.
RULES_ACROSS_FIELDS = (
    "expected exactly one of",
    "expected items, got",
    "its former name",
    "expected year_max of at least year_min",
    "expected offset + k of at most",
)

Test = Callable[..., None]


def examples(number: int) -> Callable[[Test], Test]:
    """The same requests each time; how long one takes is measured elsewhere."""
    return settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def is_refused_for_more_than_its_schema(answer: httpx.Response) -> bool:
    """The live bundle's limits, such as its scale of stars, and rules that are about several fields."""
    if answer.status_code != 422:
        return False
    problem = answer.json()
    return problem["type"] == "urn:matinee:invalid-field" or any(
        rule in problem["detail"] for rule in RULES_ACROSS_FIELDS
    )


ASKED = Counter[str]()
OF_FEEDBACK = {
    f"{method.upper()} {path}"
    for path, methods in SCHEMA.raw_schema["paths"].items()
    for method, operation in methods.items()
    if "feedback" in operation["tags"]
}


@pytest.fixture(scope="module")
def ask(tiny_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Send requests to an application that keeps feedback, so that its answers are more than refusals."""
    store = tmp_path_factory.mktemp("store") / "feedback.sqlite3"
    settings = Settings(artifacts=tiny_artifacts, reload_seconds=0.1, store=str(store))
    with asking(create_app(settings, wait_for_bundle=True)) as ask:
        yield ask


def check(case: schemathesis.Case[Any], ask: Ask) -> None:
    ASKED[f"{case.method} {case.path}"] += 1
    request = case.as_transport_kwargs(base_url="http://service")
    request["content"] = request.pop("data", None)
    method, url, _ = request.pop("method"), request.pop("url"), request.pop("cookies")
    try:
        answer = ask(method, url, **request)
    except httpx.InvalidURL:  # longer than any client or server takes
        return
    excluded: list[CheckFunction] = []
    if is_refused_for_more_than_its_schema(answer):
        excluded += [positive_data_acceptance]
    if case.path.endswith(("/batch", "/feedback", "/import")) or (case.method, case.path) == (
        "POST",
        "/movies",
    ):  # a bad element has its error in its place, and does not fail the batch
        excluded += [negative_data_rejection]
    case.validate_response(answer, excluded_checks=excluded)


@SCHEMA.parametrize()
@examples(12)
def test_requests_within_the_schema_and_outside_are_answered_as_documented(
    case: schemathesis.Case[Any], ask: Ask
) -> None:
    check(case, ask)


@pytest.fixture(scope="module")
def ten_thousand() -> Iterator[None]:
    """Has those who use it ask so often together, or shows which of them asked how often."""
    yield
    assert sum(count for name, count in ASKED.items() if name not in OF_FEEDBACK) >= 10_000, ASKED


@pytest.fixture(scope="module")
def ten_thousand_of_feedback() -> Iterator[None]:
    """`ten_thousand`, of what the store of feedback answers."""
    yield
    assert sum(ASKED[name] for name in OF_FEEDBACK) >= 10_000, ASKED


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("ten_thousand_of_feedback")
@SCHEMA.include(tag="feedback").parametrize()
@examples(1_300)
def test_many_requests_about_feedback_are_answered_as_documented(
    case: schemathesis.Case[Any], ask: Ask
) -> None:
    check(case, ask)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("ten_thousand")
@SCHEMA.exclude(tag="feedback").parametrize()
@examples(850)
def test_many_other_requests_are_answered_as_documented(case: schemathesis.Case[Any], ask: Ask) -> None:
    check(case, ask)
