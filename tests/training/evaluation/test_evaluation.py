import dataclasses
import math
import tracemalloc
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import SMALL_CONFIG, Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.query_encoding import NO_HISTORY, encode_queries
from training.data.table import RatingsTable
from training.evaluation import baseline_evaluation
from training.evaluation import split_evaluation as evaluation
from training.evaluation.analysis import analyse
from training.evaluation.baseline_evaluation import evaluate_baselines
from training.evaluation.held_out import HeldOut
from training.evaluation.metrics import HitRate
from training.evaluation.query_evaluation import evaluate_retrieval
from training.evaluation.split_evaluation import (
    Evaluation,
    evaluate_model,
    evaluate_split,
    measures_with_time,
)
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

TRAIN: list[Rating] = [
    ("1", "a", 5.0, 0),
    ("1", "b", 4.0, 1),
    ("2", "a", 3.0, 0),
    ("3", "a", 1.0, 0),
    ("3", "b", 2.0, 0),
    ("3", "c", 2.0, 0),
    ("4", "d", 2.0, 0),
]
TEST: list[Rating] = [("1", "c", 5.0, 9), ("1", "e", 1.0, 9), ("2", "d", 3.0, 9), ("5", "b", 4.0, 9)]


def train_and_test() -> tuple[RatingsTable, RatingsTable]:
    whole = table_of([*TRAIN, *TEST], ["a", "b", "c", "d", "e"])
    at = np.arange(len(whole))
    return whole.take(at[: len(TRAIN)]), whole.take(at[len(TRAIN) :])


def test_popularity_is_measured_as_by_hand() -> None:
    """Counts are a 3, b 2, c 1, d 1, e 0. User 5 is unknown to the training rows, user 3 has no test movie.

    Places with the seen ones left out: user 1 c 0 or 1 (as good as d), e 2; user 2 d 1 or 2 (as good as c, b
    is better); user 5 b 1.
    """
    train, test = train_and_test()
    found = evaluate_baselines(HeldOut("temporal", train, test, 3))["popularity"]
    places = {rank: 1 / math.log2(rank + 2) for rank in range(3)}
    ndcg = [
        ((places[0] + places[1]) / 2 + places[2]) / (places[0] + places[1]),
        (places[1] + places[2]) / 2,
        places[1],
    ]
    assert found is not None
    assert found.sums.measures() == pytest.approx(
        {
            "hit_rate_at_10": 1,
            "hit_rate_at_50": 1,
            "hit_rate_at_100": 1,
            "ndcg_at_10": sum(ndcg) / 3,
            "recall_at_20": 1,
            "top_100_accuracy": 1,
        }
    )


class ByTable:
    """Scores that are a table: a row for each user of the histories, the last for cold-start users."""

    def __init__(self, scores: NDArray[np.float32]) -> None:
        self.scores = scores
        self.queried: list[int] = []

    def __call__(self, user_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        self.queried += user_rows.tolist()
        return self.scores[user_rows]


def brute_force(scores: NDArray[np.float32], train: RatingsTable, test: RatingsTable) -> dict[str, float]:
    """The measures of docs/evaluation.md, a row at a time, by walking down sorted lists without ties."""
    user_ids = Histories.from_table(train).user_ids
    seen: dict[str, set[int]] = defaultdict(set)
    wanted: dict[str, set[int]] = defaultdict(set)
    for table, into in ((train, seen), (test, wanted)):
        for user, movie in zip(table.user_rows.tolist(), table.movie_rows.tolist(), strict=True):
            into[table.user_ids[user]].add(movie)
    hits: dict[str, list[float]] = defaultdict(list)
    for user_id, movies in wanted.items():
        of_user = scores[user_ids.index(user_id) if user_id in user_ids else -1]
        ranked = np.argsort(-of_user).tolist()
        unseen = [movie for movie in ranked if movie not in seen[user_id]]
        for movie in movies:
            hits["top_100_accuracy"].append(movie in ranked[:100])
            for k in (10, 50, 100):
                hits[f"hit_rate_at_{k}"].append(movie in unseen[:k])
        gain = sum(1 / math.log2(place + 2) for place, movie in enumerate(unseen[:10]) if movie in movies)
        hits["ndcg_at_10"].append(
            gain / sum(1 / math.log2(place + 2) for place in range(min(10, len(movies))))
        )
        hits["recall_at_20"].append(len(movies & set(unseen[:20])) / len(movies))
    return {name: float(np.mean(values)) for name, values in hits.items()}


def many_ratings() -> tuple[RatingsTable, RatingsTable]:
    """300 users, more than are ranked at once, of whom 20 have no training rows, and 150 movies."""
    random = np.random.default_rng(0)
    train: list[Rating] = []
    test: list[Rating] = []
    for user in range(300):
        for at, movie in enumerate(random.choice(150, 12, replace=False).tolist()):
            is_test = at < user % 4 or user < 20
            (test if is_test else train).append((str(user), str(movie), float(random.integers(1, 6)), at))
    whole = table_of([*train, *test], [str(movie) for movie in range(150)])
    rows = np.arange(len(whole))
    return whole.take(rows[: len(train)]), whole.take(rows[len(train) :])


def test_retrieval_agrees_with_a_brute_force_over_all_users() -> None:
    train, test = many_ratings()
    histories = Histories.from_table(train)
    score = ByTable(np.random.default_rng(1).normal(size=(len(histories) + 1, 150)).astype(np.float32))
    found = evaluate_retrieval(score, histories, test).measures()
    assert found == pytest.approx(brute_force(score.scores, train, test))
    assert all(0 < value < 1 for value in found.values())
    # One query per user with test movies, whatever the number of their rows.
    assert len(score.queried) == len(np.unique(test.user_rows))
    assert score.queried.count(NO_ROW) == 20


def test_a_model_is_measured_on_one_query_per_user_without_time(
    trained: TrainedModel, train_table: RatingsTable, test_table: RatingsTable, measured: dict[str, Any]
) -> None:
    users = np.arange(len(trained.histories), dtype=np.int32)
    inputs = trained.histories.query_inputs(users, SMALL_CONFIG.max_history)
    assert set(inputs["timestamps"].tolist()) == {NO_TIMESTAMP}
    scores = trained.embed_queries(inputs) @ trained.candidate_embeddings.T
    expected = brute_force(scores, train_table, test_table)
    assert {name: measured["model"][name] for name in expected} == pytest.approx(expected, abs=2e-3)


def test_the_error_of_a_models_ratings_is_over_all_test_rows(
    trained: TrainedModel, test_table: RatingsTable, measured: dict[str, Any]
) -> None:
    errors = []
    known = trained.histories.positions(test_table.num_users)[test_table.user_rows]
    for at in range(0, len(test_table), 7):
        user, movie = known[at : at + 1], test_table.movie_rows[at : at + 1]
        inputs = trained.histories.query_inputs(user, SMALL_CONFIG.max_history)
        errors.append(trained.predict_ratings(inputs, movie[None])[0, 0] - test_table.stars[at])
    some = test_table.take(np.arange(0, len(test_table), 7))
    assert evaluate_model(trained, some).measures()["rmse"] == pytest.approx(
        np.sqrt(np.mean(np.square(errors))), rel=1e-4
    )
    assert measured["model"]["rmse"] > 0


def test_each_row_is_also_measured_at_its_own_time(
    trained: TrainedModel, test_table: RatingsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many rows as fit no whole number of groups, and a catalogue in which the hundredth is not the last.
    monkeypatch.setattr(evaluation, "_ROWS_AT_ONCE", 64)
    monkeypatch.setattr(evaluation, "HitRate", lambda _: HitRateAt10())
    found = measures_with_time(trained, test_table)
    known = trained.histories.positions(test_table.num_users)[test_table.user_rows]
    inputs = trained.histories.query_inputs(known, SMALL_CONFIG.max_history, test_table.timestamps)
    scores = trained.embed_queries(inputs) @ trained.candidate_embeddings.T
    hits: dict[str, list[bool]] = defaultdict(list)
    for user, movie, of_row in zip(known.tolist(), test_table.movie_rows.tolist(), scores, strict=True):
        ranked = np.argsort(-of_row).tolist()
        seen = set(trained.histories.movie_rows[trained.histories.rows_of(user)].tolist())
        hits["top_100_accuracy_with_time"].append(movie in ranked[:10])
        hits["hit_rate_at_100_with_time"].append(movie in [row for row in ranked if row not in seen][:10])
    for name, of_rows in hits.items():
        assert found[name] == pytest.approx(np.mean(of_rows), abs=2e-3)
        assert 0 < found[name] < 1


class HitRateAt10(HitRate):
    def __init__(self) -> None:
        super().__init__(10)


def test_the_same_seed_and_data_give_the_same_measures_to_four_decimals(
    clusters_held_out: HeldOut, measured: dict[str, Any], evaluation: Evaluation, trained: TrainedModel
) -> None:
    """The model was trained and measured once for `measured`, and is here again from the beginning."""
    reported: dict[int, dict[str, float]] = {}
    again = evaluate_split(clusters_held_out, SMALL_CONFIG, reported.__setitem__).document
    assert list(reported) == list(range(1, SMALL_CONFIG.epochs + 1))
    # All 120 users are fewer than are sampled, so the last validation is of the model that was measured.
    assert again["validation"] == trained.validation
    assert again["validation"]["epoch"] == [5, 10, 15, 20, 25, 30]
    for name in ("hit_rate_at_100", "ndcg_at_10", "rmse"):
        assert again["validation"][name][-1] == pytest.approx(again["model"][name])
        assert [
            of[f"held_out_{name}"] for of in reported.values() if f"held_out_{name}" in of
        ] == pytest.approx(again["validation"][name])
    # AdamW's rate falls linearly to zero.
    assert reported[15]["learning_rate"] == pytest.approx(SMALL_CONFIG.learning_rate / 2)
    assert reported[30]["learning_rate"] == pytest.approx(0)
    assert again.keys() == evaluation.document.keys()
    for name, value in measured["model"].items():
        assert f"{again['model'][name]:.4f}" == f"{value:.4f}"
    assert again["losses"] == trained.losses
    assert (again["split"], again["train_ratings"], again["test_ratings"]) == ("temporal", 2_280, 600)
    assert again["fit_seconds"] > 0


def test_memory_hardly_grows_with_the_number_of_test_rows() -> None:
    random = np.random.default_rng(0)

    def peak_bytes(test: RatingsTable) -> int:
        scores = random.random((1, 300)).astype(np.float32)
        histories = Histories.from_table(test.take(np.arange(1)))
        tracemalloc.start()
        evaluate_retrieval(lambda users: np.repeat(scores, len(users), axis=0), histories, test)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    rows = 2_000 * 20
    whole = dataclasses.replace(
        table_of([("1", str(movie), 3.0, 0) for movie in range(300)]),
        user_rows=np.repeat(np.arange(2_000, dtype=np.int32), 20),
        movie_rows=random.integers(0, 300, rows).astype(np.int32),
        stars=np.full(rows, 3.0, np.float32),
        weights=np.ones(rows, np.float32),
        timestamps=np.zeros(rows, np.int64),
        user_ids=tuple(map(str, range(2_000))),
    )
    few = whole.take(np.arange(600 * 20))
    # The order of the rows by user, and what sorts it: no scores, no ranks.
    assert peak_bytes(whole) - peak_bytes(few) < 20 * (len(whole) - len(few))


def test_ease_is_left_out_where_the_catalogue_is_too_large_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = train_and_test()
    monkeypatch.setattr(baseline_evaluation, "EASE_MAX_CANDIDATES", 3)  # a, b, c and d are rated
    found = evaluate_baselines(HeldOut("temporal", train, test, 3))
    assert found["ease"] is None
    assert found["biases"] is not None
    assert found["biases"].sums.measures()["rmse"] > 0


def test_without_times_nothing_is_recent_and_without_ratings_nothing_predicts_them() -> None:
    train, test = train_and_test()
    assert list(evaluate_baselines(HeldOut("global", train, test, 3))) == [
        *("popularity", "popularity_7_days", "popularity_30_days", "ease", "biases")
    ]
    watched, watched_later = (
        dataclasses.replace(table, has_times=False, stars=np.full(len(table), np.nan, np.float32))
        for table in (train, test)
    )
    assert list(evaluate_baselines(HeldOut("random", watched, watched_later, 3))) == ["popularity", "ease"]


def test_a_user_without_training_rows_gets_the_popular_list_from_ease_too() -> None:
    train, test = train_and_test()
    found = evaluate_baselines(HeldOut("global", train, test.take(np.array([3])), 1))
    assert found["ease"] is not None
    assert found["popularity"] is not None
    assert found["ease"].sums.measures() == found["popularity"].sums.measures()


def test_users_without_training_rows_count_and_are_measured_on_the_answer_to_an_empty_history(
    trained: TrainedModel, train_table: RatingsTable
) -> None:
    """Three of the test rows are of a user whom the model does not know."""
    empty = trained.embed_queries(encode_queries([NO_HISTORY])) @ trained.candidate_embeddings.T
    ranked = np.argsort(-empty[0])
    with_unknown = dataclasses.replace(
        train_table.take(np.arange(3)),
        user_rows=np.full(3, train_table.num_users, np.int32),
        movie_rows=ranked[[0, 49, 50]].astype(np.int32),
        user_ids=(*train_table.user_ids, "unknown"),
    )
    found = evaluate_model(trained, with_unknown).measures()
    assert found["hit_rate_at_10"] == pytest.approx(1 / 3)
    assert found["hit_rate_at_50"] == pytest.approx(2 / 3)
    assert found["ndcg_at_10"] == pytest.approx(1 / sum(1 / math.log2(place + 2) for place in range(3)))
    assert found["rmse"] > 0
    assert (
        measures_with_time(trained, with_unknown)["top_100_accuracy_with_time"] == found["top_100_accuracy"]
    )


def test_without_ratings_there_is_no_error_and_without_times_no_row_is_at_its_own(
    trained: TrainedModel, test_table: RatingsTable
) -> None:
    watched = dataclasses.replace(
        test_table, stars=np.full(len(test_table), np.nan, np.float32), has_times=False
    )
    expected = evaluate_model(trained, test_table).measures()
    del expected["rmse"]
    assert evaluate_model(trained, watched).measures() == expected
    assert measures_with_time(trained, watched) == {}
    some_rated = dataclasses.replace(
        test_table, stars=np.where(np.arange(len(test_table)) < 50, test_table.stars, np.nan)
    )
    alone = evaluate_model(trained, test_table.take(np.arange(50))).measures()["rmse"]
    assert evaluate_model(trained, some_rated).measures()["rmse"] == pytest.approx(alone)
    assert sum(one["rows"] for one in analyse(trained, some_rated)["calibration"]) == 50
