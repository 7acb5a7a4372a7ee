from typing import Any

import pytest
from service_client import Ask
from tiny_model import MOVIE_IDS, TinyModel

from service.bundle.query_tower import QueryTower
from service.http.problem_details import Problem
from service.routes.batch_answers import MOST_TITLES
from service.schemas.batches import MOST_PAIRS, MOST_REQUESTS, RatingBatchAnswer, RecommendBatchAnswer
from service.schemas.recommendations import RecommendAnswer

BAD_REQUESTS: list[Any] = [
    {"user_id": 4.2},
    {"user_id": True},
    {"user_id": "42", "k": 0},
    {"user_id": "42", "surprise": 1},
    {"user_id": "42", "history": [{"movie_id": "m999"}], "strict": True},
    {"user_id": "42", "history": [{"movie_id": "m1", "rating": 9}]},
    5,
    None,
    [],
]


def test_a_batch_of_requests_is_answered_as_each_alone_with_errors_in_their_places(ask: Ask) -> None:
    good: list[dict[str, Any]] = [
        {"user_id": "42", "k": 3},
        {"user_id": "nobody", "k": 2, "filter": {"genres_any": ["war"]}},
        {"history": [{"movie_id": "m3", "rating": 5}], "explain": True},
        {"user_id": "7", "rank_by": "blend", "diversity": 0.5, "offset": 4},
    ]
    requests = [each for pair in zip(good, BAD_REQUESTS, strict=False) for each in pair] + BAD_REQUESTS[4:]
    answer = ask("POST", "/recommend/batch", json={"items": requests})
    assert answer.status_code == 200
    RecommendBatchAnswer.model_validate_json(answer.content, strict=True)
    for place, (request, element) in enumerate(zip(requests, answer.json()["items"], strict=True)):
        alone = ask("POST", "/recommend", json=request)
        if request in good:
            assert element == alone.json()
            continue
        problem = Problem.model_validate(element["error"])
        assert (problem.status, problem.type) == (alone.status_code, alone.json()["type"])
        assert all(error.field.startswith(f"body.items.{place}") for error in problem.errors)
        assert len(problem.errors) == 1


def test_a_batch_of_pairs_is_answered_as_each_alone_with_errors_in_their_places(
    ask: Ask, tiny: TinyModel
) -> None:
    pairs: list[Any] = [
        {"user_id": "42", "movie_id": "m3"},
        {"user_id": "42"},
        {"user_id": "42", "movie_id": "m999"},
        {"user_id": "42", "movie_title": "Nowhere"},
        {"user_id": "nobody", "movie_title": "Twins (1988)"},
        "42",
    ]
    answer = ask("POST", "/predict_rating/batch", json={"items": pairs})
    RatingBatchAnswer.model_validate_json(answer.content, strict=True)
    predictions = answer.json()["items"]
    for place in (0, 4):
        assert predictions[place] == ask("POST", "/predict_rating", json=pairs[place]).json()
    assert predictions[0]["predicted_rating"] == pytest.approx(tiny.stars(3, "42"), abs=1e-6)
    assert [predictions[place]["error"]["status"] for place in (1, 2, 3, 5)] == [422, 404, 404, 422]
    assert predictions[2]["error"]["errors"][0]["field"] == "body.items.2.movie_id"


def test_a_batch_by_its_former_name_is_answered_by_its_former_name(ask: Ask) -> None:
    requests: list[Any] = [{"user_id": "42", "k": 3}, {"k": 0}]
    answer = ask("POST", "/recommend/batch", json={"requests": requests})
    RecommendBatchAnswer.model_validate_json(answer.content, strict=True)
    assert answer.json().keys() == {"answers"}
    now = ask("POST", "/recommend/batch", json={"items": requests}).json()["items"]
    assert answer.json()["answers"][0] == now[0]
    assert answer.json()["answers"][1]["error"]["errors"][0]["field"] == "body.requests.1.k"
    pairs = {"pairs": [{"user_id": "42", "movie_id": "m3"}]}
    [prediction] = ask("POST", "/predict_rating/batch", json=pairs).json()["predictions"]
    assert prediction == ask("POST", "/predict_rating", json=pairs["pairs"][0]).json()


def test_a_misspelt_field_of_an_element_is_named(ask: Ask) -> None:
    [element] = ask("POST", "/recommend/batch", json={"items": [{"user-id": "42"}]}).json()["items"]
    [error] = element["error"]["errors"]
    assert error == {"field": "body.items.0.user-id", "message": "unknown; did you mean `user_id`?"}


def test_an_unknown_title_of_a_batch_is_answered_with_the_closest_as_alone(ask: Ask) -> None:
    pair = {"user_id": "42", "movie_title": "Twinz (1988)"}
    pairs = [{"user_id": "42", "movie_title": "Qqqq"}, *[pair] * (MOST_TITLES + 1)]
    answer = ask("POST", "/predict_rating/batch", json={"items": pairs})
    RatingBatchAnswer.model_validate_json(answer.content, strict=True)
    errors = [prediction["error"] for prediction in answer.json()["items"]]
    alone = ask("POST", "/predict_rating", json=pair).json()["suggestions"]
    assert "suggestions" not in errors[0]
    assert [error["suggestions"] for error in errors[1:MOST_TITLES]] == [alone] * (MOST_TITLES - 1)
    # A thousand of them would be searched for seconds.
    assert [error.get("suggestions") for error in errors[MOST_TITLES:]] == [None, None]


def test_a_batch_is_one_model_call_however_many_there_are(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    read = QueryTower.read

    def counted(tower: QueryTower, inputs: Any) -> Any:
        calls.append(len(inputs))
        return read(tower, inputs)

    monkeypatch.setattr(QueryTower, "read", counted)
    requests = [{"user_id": "42", "timestamp": place, "k": 1 + place % 7} for place in range(MOST_REQUESTS)]
    assert len(ask("POST", "/recommend/batch", json={"items": requests}).json()["items"]) == MOST_REQUESTS
    pairs = [
        {"user_id": "42", "timestamp": place, "movie_id": MOVIE_IDS[place % 240]}
        for place in range(MOST_PAIRS)
    ]
    assert len(ask("POST", "/predict_rating/batch", json={"items": pairs}).json()["items"]) == MOST_PAIRS
    assert calls == [MOST_REQUESTS, MOST_PAIRS]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/recommend/batch", {"items": []}, "body.items"),
        ("/recommend/batch", {"items": [{}] * (MOST_REQUESTS + 1)}, "body.items"),
        ("/recommend/batch", {"items": {}}, "body.items"),
        ("/recommend/batch", {"items": [{"user_id": "42"}], "surprise": 1}, "body.surprise"),
        ("/recommend/batch", {"items": [{}], "requests": [{}]}, "body"),
        ("/predict_rating/batch", {"items": [{}] * (MOST_PAIRS + 1)}, "body.items"),
        ("/predict_rating/batch", {}, "body"),
    ],
)
def test_a_batch_that_is_none_is_422(path: str, body: Any, field: str, ask: Ask) -> None:
    problem = Problem.model_validate_json(ask("POST", path, json=body).content)
    assert (problem.status, [error.field for error in problem.errors]) == (422, [field])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"k": 500, "offset": 501}, "body.k"),
        ({"offset": 991}, "body.k"),
        ({"offset": 1_000}, "body.offset"),
        ({"offset": -1}, "body.offset"),
        ({"diversity": 1.1}, "body.diversity"),
        ({"explore": 1.1}, "body.explore"),
        ({"rank_by": "price"}, "body.rank_by"),
        ({"explain": 1}, "body.explain"),
        ({"exclude": ["1"] * 5_001}, "body.exclude"),
        ({"exclude": "1"}, "body.exclude"),
        ({"exclude": ["x" * 1_001]}, "body.exclude.0"),
        ({"history": [{"movie_id": "m1"}] * 5_001}, "body.history"),
        ({"filter": {"genres_any": "Drama"}}, "body.filter.genres_any"),
        ({"filter": {"genres_all": ["Drama"] * 101}}, "body.filter.genres_all"),
        ({"filter": {"year_min": 10_000}}, "body.filter.year_min"),
        ({"filter": {"movie_ids": [4.2]}}, "body.filter.movie_ids.0"),
        ({"filter": {"actors": ["x"]}}, "body.filter.actors"),
    ],
)
def test_what_is_out_of_bounds_is_422_and_named(body: dict[str, Any], field: str, ask: Ask) -> None:
    problem = Problem.model_validate_json(ask("POST", "/recommend", json={"user_id": "42"} | body).content)
    assert (problem.status, [error.field for error in problem.errors]) == (422, [field])


def test_at_the_bounds_everything_is_answered(ask: Ask) -> None:
    body = {"user_id": "x" * 1_000, "history": [{"movie_id": "m1"}] * 5_000, "exclude": ["m1"] * 5_000}
    answer = ask("POST", "/recommend", json=body | {"k": 500, "offset": 500, "diversity": 1, "explain": True})
    assert answer.status_code == 200
    assert answer.json()["items"] == []


def test_get_takes_what_fits_into_a_query_string(ask: Ask) -> None:
    by_get = ask(
        "GET",
        "/recommend?user_id=42&k=3&offset=2&exclude=m1&exclude=m2&genres_any=war&genres_any=drama"
        "&genres_none=nothing&year_min=1910&year_max=2100&rank_by=blend&diversity=0.5&explain=true&explore=0.5",
    )
    body = {
        "user_id": "42",
        "k": 3,
        "offset": 2,
        "exclude": ["m1", "m2"],
        "filter": {
            "genres_any": ["war", "drama"],
            "genres_none": ["nothing"],
            "year_min": 1910,
            "year_max": 2100,
        },
        "rank_by": "blend",
        "diversity": 0.5,
        "explain": True,
        "explore": 0.5,
    }
    assert by_get.status_code == 200
    assert by_get.json() == ask("POST", "/recommend", json=body).json()
    RecommendAnswer.model_validate_json(by_get.content, strict=True)
    items = by_get.json()["items"]
    assert [(item["rank"], item.get("explored")) for item in items] == [(3, None), (4, True), (5, None)]
