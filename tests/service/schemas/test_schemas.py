from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from service.schemas.ratings import RatingBody, RatingParameters
from service.schemas.recommend import RecommendBody, RecommendParameters


def problems(schema: type[BaseModel], document: object) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        schema.model_validate(document)
    return [(error["loc"], error["type"]) for error in raised.value.errors()]


def test_only_who_asks_is_needed() -> None:
    body = RecommendBody.model_validate({"user_id": "42"})
    assert (body.k, body.exclude_seen, body.timestamp, body.history) == (10, True, None, [])
    assert RecommendBody.model_validate({"history": [{"movie_id": "1"}]}).history[0].rating is None


@pytest.mark.parametrize("user_id", ["", "a\0b", "影", "🎬", " ", "x" * 1_000])
def test_any_text_is_an_id(user_id: str) -> None:
    assert RecommendBody(user_id=user_id).user_id == user_id


@pytest.mark.parametrize(
    "document", [{}, {"user_id": None}, {"history": []}, {"user_id": None, "history": []}]
)
def test_neither_a_user_nor_a_history_is_refused_by_name(document: object) -> None:
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


def test_an_integer_may_be_written_with_a_point() -> None:
    assert RecommendBody.model_validate({"user_id": "42", "k": 10.0}).k == 10


def test_every_integer_that_json_keeps_exact_is_a_time() -> None:
    for timestamp in (1 - 2**53, 0, 2**53 - 1):
        assert RecommendBody(user_id="42", timestamp=timestamp).timestamp == timestamp


@pytest.mark.parametrize("schema", [RatingBody, RatingParameters])
@pytest.mark.parametrize("movies", [{}, {"movie_id": "1", "movie_title": "Twins"}, {"movie_title": None}])
def test_a_rating_is_of_exactly_one_movie(schema: type[BaseModel], movies: dict[str, str | None]) -> None:
    assert problems(schema, {"user_id": "42"} | movies) == [(("movie_title",), "value_error")]


def test_a_movie_is_named_by_id_or_title() -> None:
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
def test_a_body_with_endless_errors_is_told_of_a_few(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        RecommendBody.model_validate(sent)
    assert 1 <= refused.value.error_count() <= 3
