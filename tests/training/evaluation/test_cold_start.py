from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.query_encoding import QueryInputs
from training.data.table import RatingsTable
from training.evaluation import cold_start as module
from training.evaluation.cold_start import GIVEN, cold_start, draw_cold_start_users, sent_ratings
from training.evaluation.held_out import HeldOut
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


def test_cold_start_users_have_ten_ratings_to_send_and_a_test_row() -> None:
    train: list[Rating] = [(f"few-{user}", str(at), 3.0, at) for user in range(40) for at in range(9)]
    train += [(f"no test-{user}", str(at), 3.0, at) for user in range(40) for at in range(10)]
    train += [(f"good-{user}", str(at), 3.0, at) for user in range(40) for at in range(10)]
    test: list[Rating] = [(f"{who}-{user}", "x", 3.0, 99) for who in ("few", "good") for user in range(40)]
    whole = table_of([*train, *test])
    rows = np.arange(len(whole))
    parts = whole.take(rows[: len(train)]), whole.take(rows[len(train) :])
    drawn = [{whole.user_ids[row] for row in draw_cold_start_users(*parts, seed)} for seed in (1, 1, 2)]
    assert [len(users) for users in drawn] == [4, 4, 4]  # a tenth of the 40
    assert all(user.startswith("good-") for users in drawn for user in users)
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_first_or_the_latest_ratings_of_each_user_are_sent() -> None:
    table = table_of([("1", "d", 4.0, 9), ("2", "a", 1.0, 5), ("1", "b", 3.0, 1), ("1", "a", 2.0, 5)])
    found = {}
    for which in ("first", "latest"):
        taken = sent_ratings(table, 2, which)
        pairs = zip(taken.user_rows, taken.stars, strict=True)
        found[which] = {(table.user_ids[user], float(stars)) for user, stars in pairs}
        assert len(sent_ratings(table, 0, which)) == 0
    assert found["first"] == {("2", 1.0), ("1", 3.0), ("1", 2.0)}
    assert found["latest"] == {("2", 1.0), ("1", 2.0), ("1", 4.0)}


def test_nothing_is_measured_where_no_user_has_ten_ratings() -> None:
    table = table_of([("1", str(movie), 3.0, movie) for movie in range(9)])
    rows = np.arange(9)
    assert (
        cold_start(HeldOut("temporal", table.take(rows[:7]), table.take(rows[7:]), 1), SMALL_CONFIG) is None
    )


def test_the_model_is_trained_without_the_users_and_queried_as_the_service_does(
    clusters_held_out: HeldOut, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    queried: list[QueryInputs] = []
    trained_on: list[RatingsTable] = []

    def fit(table: RatingsTable, *_: Any) -> TrainedModel:
        trained_on.append(table)
        return make_model(table)

    def spy(method: Any) -> Any:
        def wrapped(model: TrainedModel, inputs: QueryInputs, *rest: Any) -> Any:
            queried.append(inputs)
            return method(model, inputs, *rest)

        return wrapped

    monkeypatch.setattr(module, "fit_model", fit)
    monkeypatch.setattr(TrainedModel, "embed_queries", spy(TrainedModel.embed_queries))
    monkeypatch.setattr(TrainedModel, "predict_ratings", spy(TrainedModel.predict_ratings))
    found = cold_start(clusters_held_out, SMALL_CONFIG)
    assert found is not None
    train, test = clusters_held_out.train, clusters_held_out.test
    users = draw_cold_start_users(train, test, SMALL_CONFIG.seed).tolist()
    assert len(users) == found["users"] == 12
    assert found["test_ratings"] == np.isin(test.user_rows, users).sum()
    [table] = trained_on
    assert set(table.user_rows.tolist()) == set(range(120)) - set(users)
    for which in ("first", "latest"):
        assert [point["ratings"] for point in found[which]] == list(GIVEN)
    assert found["first"][0] == found["latest"][0]
    assert found["first"][1] != found["latest"][1]
    for inputs in queried:
        assert set(inputs["user_rows"].tolist()) == {NO_ROW}
        assert set(inputs["timestamps"].tolist()) == {NO_TIMESTAMP}
        assert set(inputs["history_timestamps"].tolist()) <= {NO_TIMESTAMP}
    lengths = [set(inputs["history_lengths"].tolist()) for inputs in queried]
    # Without ratings the model predicts stars only; the list is the popular one.
    assert lengths == 2 * [{0}, {1}, {1}, {3}, {3}, {5}, {5}, {10}, {10}]
    counts = np.bincount(table.movie_rows, minlength=table.num_movies)
    wanted = test.movie_rows[np.isin(test.user_rows, users)]
    better = (counts[None, :] > counts[wanted][:, None]).sum(axis=1)
    tied = (counts[None, :] == counts[wanted][:, None]).sum(axis=1)
    # A tie counts as in a random order of it.
    hits = [
        sum(place < 50 for place in range(first, first + many)) / many
        for first, many in zip(better.tolist(), tied.tolist(), strict=True)
    ]
    assert found["first"][0]["hit_rate_at_50"] == pytest.approx(np.mean(hits))
