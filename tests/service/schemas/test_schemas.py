from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from service.schemas.ratings import RatingBody, RatingParameters
from service.schemas.recommend import RecommendBody, RecommendParameters


def problems(schema: type[BaseModel], document: object) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        schema.model_validate(document)
    return [(error["loc"], error["type"]) for error in raised.value.errors()]


def test_a_user_or_a_history_is_all_that_is_required() -> None:
    body = RecommendBody.model_validate({"user_id": "42"})
    assert (body.k, body.exclude_seen, body.timestamp, body.history) == (10, True, None, [])
    assert RecommendBody.model_validate({"history": [{"movie_id": "1"}]}).history[0].rating is None


@pytest.mark.parametrize("user_id", ["", "a\0b", "影", "🎬", " ", "x" * 1_000])
def test_any_text_can_be_a_user_id(user_id: str) -> None:
    assert RecommendBody(user_id=user_id).user_id == user_id


@pytest.mark.parametrize(
    "document", [{}, {"user_id": None}, {"history": []}, {"user_id": None, "history": []}]
)
def test_a_body_without_user_and_history_is_refused(document: object) -> None:
    assert problems(RecommendBody, document) == [(("history",), "value_error")]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("user_id", 42, "string_type"),
        ("user_id", True, "string_type"),
        ("user_id", ["42"], "string_type"),
        ("user_id", "\ud800", "string_unicode"),
        ("user_id", "x" * 1_001, "string_too_long"),
        ("k", 0, "greater_than_equal"),
        ("k", 501, "less_than_equal"),
        ("k", 10**400, "less_than_equal"),
        ("k", "10", "int_type"),
        ("k", 10.5, "int_type"),
        ("k", True, "int_type"),
        ("timestamp", 2**53, "less_than_equal"),
        ("timestamp", -(2**53), "greater_than_equal"),
        ("timestamp", 0.5, "int_type"),
        ("exclude_seen", "false", "bool_type"),
        ("exclude_seen", 0, "bool_type"),
        ("history", {"movie_id": "1"}, "list_type"),
        ("surprise", 1, "extra_forbidden"),
    ],
)
def test_a_malformed_field_is_refused_by_name(name: str, value: object, error: str) -> None:
    assert problems(RecommendBody, {"user_id": "42"} | {name: value}) == [((name,), error)]


@pytest.mark.parametrize(
    ("entry", "name", "error"),
    [
        ({"rating": 5}, "movie_id", "missing"),
        ({"movie_id": 50}, "movie_id", "string_type"),
        ({"movie_id": "50", "rating": "5"}, "rating", "float_type"),
        ({"movie_id": "50", "rating": float("nan")}, "rating", "finite_number"),
        ({"movie_id": "50", "rating": float("inf")}, "rating", "finite_number"),
        ({"movie_id": "50", "rating": 10**400}, "rating", "float_type"),
        ({"movie_id": "50", "seen": True}, "seen", "extra_forbidden"),
    ],
)
def test_a_malformed_history_entry_is_refused_by_name_and_place(entry: object, name: str, error: str) -> None:
    document = {"history": [{"movie_id": "1"}, entry]}
    assert problems(RecommendBody, document) == [(("history", 1, name), error)]


def test_an_integer_may_have_a_decimal_point() -> None:
    assert RecommendBody.model_validate({"user_id": "42", "k": 10.0}).k == 10


def test_every_integer_that_is_exact_in_json_is_a_timestamp() -> None:
    for timestamp in (1 - 2**53, 0, 2**53 - 1):
        assert RecommendBody(user_id="42", timestamp=timestamp).timestamp == timestamp


@pytest.mark.parametrize("schema", [RatingBody, RatingParameters])
@pytest.mark.parametrize("movies", [{}, {"movie_id": "1", "movie_title": "Twins"}, {"movie_title": None}])
def test_a_rating_query_names_one_movie(schema: type[BaseModel], movies: dict[str, str | None]) -> None:
    assert problems(schema, {"user_id": "42"} | movies) == [(("movie_title",), "value_error")]


def test_a_movie_is_named_by_id_or_by_title() -> None:
    assert RatingBody(user_id="42", movie_id="").movie_id == ""
    assert RatingBody(user_id="42", movie_title="").movie_title == ""


def test_query_parameters_are_read_from_text() -> None:
    given = {"user_id": "42", "k": "3", "timestamp": "-5", "exclude_seen": "false"}
    parameters = RecommendParameters.model_validate(given)
    assert parameters == RecommendParameters(user_id="42", k=3, timestamp=-5, exclude_seen=False)
    assert problems(RecommendParameters, {"user_id": "42", "kk": "3"}) == [(("kk",), "extra_forbidden")]


@pytest.mark.parametrize(
    "sent",
    [
        {f"field{number}": 1 for number in range(10_000)},
        {"user_id": "42", "filter": {f"field{number}": 1 for number in range(10_000)}},
        {"history": [{"movie_id": "m1"}, {f"field{number}": 1 for number in range(10_000)}]},
        {"history": [1] * 5_000},
        {"user_id": "42", "exclude": [1] * 5_000, "filter": {"movie_ids": [None] * 5_000}},
    ],
)
def test_a_body_with_thousands_of_errors_reports_a_few(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        RecommendBody.model_validate(sent)
    assert 1 <= refused.value.error_count() <= 3
