from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from service.recommending.queries import MovieFilter, RecommendQuery
from service.schemas.imported_feedback import ExportParameters
from service.schemas.movies import MovieParameters, PopularParameters
from service.schemas.ratings import RatingBody, RatingParameters
from service.schemas.recommend import FilterBody, RecommendBody, RecommendParameters
from service.schemas.user_feedback import UserFeedbackParameters
from service.schemas.users import UserParameters, UsersParameters


def problems(schema: type[BaseModel], document: object) -> list[tuple[tuple[Any, ...], str]]:
    with pytest.raises(ValidationError) as raised:
        schema.model_validate(document)
    return [(error["loc"], error["type"]) for error in raised.value.errors()]


def test_a_user_or_a_history_is_enough() -> None:
    body = RecommendBody.model_validate({"user_id": "42"})
    assert (body.k, body.exclude_seen, body.timestamp, body.history) == (10, True, None, [])
    assert RecommendBody.model_validate({"history": [{"movie_id": "1"}]}).history[0].rating is None


def test_what_is_not_sent_of_a_body_is_the_default_of_the_query_too() -> None:
    """Only what was sent is given to the query."""
    body = RecommendBody.model_validate({})
    for field in fields(RecommendQuery):
        of_query, of_body = getattr(RecommendQuery(), field.name), getattr(body, field.name)
        assert of_query == of_body or (of_query, of_body) == ((), []), field.name
    assert body.to_query() == RecommendQuery()


def test_a_query_has_all_that_its_body_has() -> None:
    sent: dict[str, Any] = {
        "user_id": "42",
        "history": [{"movie_id": "1", "rating": 4}, {"movie_id": "2"}],
        "timestamp": 880_000_000,
        "k": 7,
        "offset": 3,
        "exclude_seen": False,
        "exclude": ["5"],
        "filter": {"genres_any": ["War"], "year_min": 1990},
        "rank_by": "blend",
        "diversity": 0.5,
        "explain": True,
        "explore": 0.25,
        "strict": True,
    }
    assert sent.keys() == {field.name for field in fields(RecommendQuery)}
    expected = sent | {
        "history": [{"movie_id": "1", "rating": 4}, {"movie_id": "2", "rating": None}],
        "filter": MovieFilter(genres_any=["War"], genres_all=[], genres_none=[], year_min=1990),
    }
    assert RecommendBody.model_validate(sent).to_query() == RecommendQuery(**expected)


@pytest.mark.parametrize("user_id", ["", "a\0b", "影", "🎬", " ", "x" * 1_000])
def test_any_text_can_be_a_user_id(user_id: str) -> None:
    assert RecommendBody(user_id=user_id).user_id == user_id


@pytest.mark.parametrize("document", [{}, {"user_id": None}, {"history": []}])
def test_nobody_in_particular_may_be_asked_about(document: object) -> None:
    assert RecommendBody.model_validate(document).user_id is None


@pytest.mark.parametrize(
    ("sent", "user_id"), [(42, "42"), (-7.0, "-7"), (0, "0"), (2**53 - 1, str(2**53 - 1))]
)
def test_an_integer_is_an_id_as_its_decimal_text(sent: float, user_id: str) -> None:
    body = RatingBody.model_validate(
        {"user_id": sent, "movie_id": sent, "history": [{"movie_id": sent}, {"movie_id": user_id}]}
    )
    assert {body.user_id, body.movie_id, *(entry.movie_id for entry in body.history)} == {user_id}
    lists = {"exclude": [sent, "x"], "filter": {"movie_ids": [sent]}}
    query = RecommendBody.model_validate(lists).to_query()
    assert query.exclude == [user_id, "x"]
    assert query.filter is not None
    assert query.filter.movie_ids == [user_id]


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("user_id", 4.5, "id_type"),
        ("user_id", True, "id_type"),
        ("user_id", ["42"], "id_type"),
        ("user_id", 2**53, "id_type"),
        ("user_id", "\ud800", "id_type"),
        ("user_id", "x" * 1_001, "id_type"),
        ("k", 0, "greater_than_equal"),
        ("k", 501, "less_than_equal"),
        ("k", 10**400, "less_than_equal"),
        ("k", "10", "int_type"),
        ("k", 10.5, "int_type"),
        ("k", True, "int_type"),
        ("timestamp", 893286638000, "value_error"),
        ("timestamp", -(10**400), "value_error"),
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
        ({"movie_id": None}, "movie_id", "id_type"),
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


def test_a_timestamp_is_in_seconds_up_to_the_year_5138() -> None:
    for timestamp in (-99_999_999_999, 0, 99_999_999_999):
        assert RecommendBody(user_id="42", timestamp=timestamp).timestamp == timestamp


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (893286638123, "893286638123, which is milliseconds; send 893286638"),
        ("893286638123", "893286638123, which is milliseconds; send 893286638"),
        (893286638123456, "microseconds; send 893286638"),
        (893286638123456789, "nanoseconds; send 893286638"),
    ],
)
def test_smaller_units_are_recognized_and_the_seconds_named(sent: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RecommendParameters.model_validate({"user_id": "42", "timestamp": sent})


@pytest.mark.parametrize("schema", [FilterBody, RecommendParameters])
def test_reversed_years_are_refused_in_words(schema: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="at least year_min, got 2000 to 1990; swap"):
        schema.model_validate({"year_min": 2000, "year_max": 1990})
    assert schema.model_validate({"year_min": 1990, "year_max": 1990})


@pytest.mark.parametrize(
    ("schema", "former", "present"),
    [
        (MovieParameters, {"limit": "3", "genre": "War"}, {"k": "3", "genres_any": ["War"]}),
        (PopularParameters, {"genre": "War"}, {"genres_any": ["War"]}),
        (UsersParameters, {"limit": "3"}, {"k": "3"}),
        (UserParameters, {"limit": "3"}, {"k": "3"}),
        (UserFeedbackParameters, {"limit": "3"}, {"k": "3"}),
        (ExportParameters, {"limit": "3"}, {"k": "3"}),
    ],
)
def test_former_names_of_parameters_mean_the_same(
    schema: type[BaseModel], former: dict[str, object], present: dict[str, object]
) -> None:
    assert schema.model_validate(former) == schema.model_validate(present)
    with pytest.raises(ValidationError, match="its former name; leave that out"):
        schema.model_validate({**former, **present})


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
        {"user_id": "42", "exclude": [None] * 5_000, "filter": {"movie_ids": [None] * 5_000}},
    ],
)
def test_a_body_with_thousands_of_errors_reports_a_few(sent: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        RecommendBody.model_validate(sent)
    assert 1 <= refused.value.error_count() <= 3
