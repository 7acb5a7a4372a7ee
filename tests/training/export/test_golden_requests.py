import json
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.golden_requests import GoldenRecommendation, GoldenRequests, HistoryEntry
from service.bundle.histories import History
from service.bundle.query_encoding import QueryInputs, encode_queries
from training.data.table import RatingsTable
from training.export.golden_requests import golden_requests
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


@pytest.fixture(scope="module")
def golden(trained: TrainedModel, train_table: RatingsTable) -> GoldenRequests:
    return golden_requests(trained, train_table, seed=5)


def inputs_of(
    trained: TrainedModel,
    table: RatingsTable,
    user_id: str | None,
    history: list[HistoryEntry],
    timestamp: int | None,
) -> tuple[QueryInputs, list[int]]:
    """The query that the service would make, and the seen movies."""
    if user_id in trained.histories.user_ids:
        user = trained.histories.user_ids.index(user_id)
        at = trained.histories.rows_of(user)
        rows = trained.histories.movie_rows[at].tolist()
        stars = trained.histories.ratings[at].tolist()
        times = trained.histories.timestamps[at].tolist()
    else:
        user = NO_ROW
        rows = [table.movies.movie_ids.index(entry["movie_id"]) for entry in history]
        stars = [np.nan if entry["rating"] is None else entry["rating"] for entry in history]
        times = [NO_TIMESTAMP] * len(rows)
    seen = History(np.array(rows, np.int32), np.array(stars, np.float32), np.array(times, np.int64))
    inputs = encode_queries([seen], user, NO_TIMESTAMP if timestamp is None else timestamp)
    return inputs, rows


def kinds(golden: GoldenRequests) -> Counter[tuple[str, bool]]:
    return Counter((one["source"], one["timestamp"] is not None) for one in golden["recommend"])


def test_there_are_twenty_requests_of_every_kind(golden: GoldenRequests) -> None:
    assert len(golden["recommend"]) + len(golden["predict_rating"]) >= 20
    assert kinds(golden).keys() >= {
        ("personalized", True),
        ("personalized", False),
        ("history", False),
        ("popular", False),
    }
    assert min(kinds(golden)["personalized", True], kinds(golden)["personalized", False]) >= 3
    assert kinds(golden)["history", False] >= 3
    assert {one["timestamp"] is None for one in golden["predict_rating"]} == {True, False}
    lengths = {len(one["history"]) for one in golden["recommend"] if one["source"] == "history"}
    assert len(lengths) >= 3
    ratings = [entry["rating"] for one in golden["recommend"] for entry in one["history"]]
    assert None in ratings
    assert {each for each in ratings if each is not None} <= {0.5, 2.75, 5.0}
    assert len({one["user_id"] for one in golden["recommend"] if one["source"] == "personalized"}) >= 6


def test_recommended_are_the_best_unseen_movies_by_brute_force(
    golden: GoldenRequests, trained: TrainedModel, train_table: RatingsTable
) -> None:
    candidates = trained.candidate_embeddings
    for one in golden["recommend"]:
        if one["source"] == "popular":
            continue
        inputs, seen = inputs_of(trained, train_table, one["user_id"], one["history"], one["timestamp"])
        scores: NDArray[np.float32] = candidates @ trained.embed_queries(inputs)[0]
        unseen = [row for row in np.argsort(-scores).tolist() if row not in seen][:10]
        assert [item["score"] for item in one["items"]] == pytest.approx(scores[unseen].tolist(), abs=1e-5)
        rows = [train_table.movies.movie_ids.index(item["movie_id"]) for item in one["items"]]
        assert not set(rows) & set(seen)
        assert [item["score"] for item in one["items"]] == pytest.approx(scores[rows].tolist(), abs=1e-5)
        stars = trained.predict_ratings(inputs, np.array([rows], np.int32))[0].tolist()
        assert [item["predicted_rating"] for item in one["items"]] == pytest.approx(stars, abs=1e-5)
        assert (one["k"], one["exclude_seen"], len(one["items"])) == (10, True, 10)


def test_a_user_of_whom_nothing_is_known_gets_the_models_answer_to_an_empty_history(
    golden: GoldenRequests, trained: TrainedModel, train_table: RatingsTable
) -> None:
    [popular] = [one for one in golden["recommend"] if one["source"] == "popular"]
    assert popular["user_id"] not in trained.histories.user_ids
    inputs, _ = inputs_of(trained, train_table, None, [], None)
    scores = trained.candidate_embeddings @ trained.embed_queries(inputs)[0]
    best = np.argsort(-scores, kind="stable")[:10]
    ids = train_table.movies.movie_ids
    assert [item["movie_id"] for item in popular["items"]] == [ids[row] for row in best.tolist()]
    assert [item["score"] for item in popular["items"]] == pytest.approx(scores[best].tolist(), abs=1e-5)
    stars = trained.predict_ratings(inputs, best[None].astype(np.int32))[0].tolist()
    assert [item["predicted_rating"] for item in popular["items"]] == pytest.approx(stars, abs=1e-5)


def test_predicted_ratings_are_the_models(
    golden: GoldenRequests, trained: TrainedModel, train_table: RatingsTable
) -> None:
    for one in golden["predict_rating"]:
        inputs, _ = inputs_of(trained, train_table, one["user_id"], one["history"], one["timestamp"])
        row = train_table.movies.movie_ids.index(one["movie_id"])
        expected = trained.predict_ratings(inputs, np.array([[row]], np.int32))[0, 0]
        assert one["predicted_rating"] == pytest.approx(float(expected), abs=1e-5)


def test_they_are_json_and_the_same_for_the_same_seed(
    golden: GoldenRequests, trained: TrainedModel, train_table: RatingsTable
) -> None:
    text = json.dumps(golden, allow_nan=False)
    assert json.dumps(golden_requests(trained, train_table, seed=5)) == text
    assert json.dumps(golden_requests(trained, train_table, seed=6)) != text


def test_data_may_be_tiny_and_contain_the_id_of_the_cold_start_user(
    make_model: MakeModel,
) -> None:
    user = "a cold-start user"
    ratings: list[Rating] = [(user, "1", 4.0, 5), (user, "2", 2.0, 7), ("x", "1", 3.0, 6)]
    table = table_of(ratings)
    golden = golden_requests(make_model(table), table, seed=0)
    assert len(golden["recommend"]) + len(golden["predict_rating"]) >= 20
    by_user: dict[str | None, GoldenRecommendation] = {one["user_id"]: one for one in golden["recommend"]}
    assert by_user["a cold-start user"]["source"] == "personalized"
    assert by_user["a cold-start user"]["items"] == []
    assert [item["movie_id"] for item in by_user["x"]["items"]] == ["2"]
    assert by_user["a cold-start user!"]["source"] == "popular"
