from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG

from training.data.table import RatingsTable
from training.distributed.batch_shares import share_of
from training.model.examples import Batch, ExampleSampler
from training.model.histories import Histories
from training.model.popularity_trend import fit_trend
from training.model.trained_model import TrainedModel

TWO_USERS: Batch = {
    "user_rows": np.array([7, 8], np.int32),
    "timestamps": np.array([70, 80], np.int64),
    "history_lengths": np.array([1, 2], np.int32),
    "history_rows": np.array([3, 4, 5], np.int32),
    "history_ratings": np.array([1.0, 2.0, 3.0], np.float32),
    "history_timestamps": np.array([60, 61, 62], np.int64),
    "candidate_rows": np.array([3, 4, 5, 9], np.int32),
    "log_sampling": np.array([-1, -2, -3, -4], np.float32),
    "retrieval_pairs": np.array([[0, 3], [1, 0], [1, 3]], np.int32),
    "retrieval_weights": np.array([0.5, 0.25, 0.25], np.float32),
    "masked_pairs": np.array([[0, 0], [1, 1], [1, 2]], np.int32),
    "rating_pairs": np.array([[1, 3]], np.int32),
    "ratings": np.array([4.0], np.float32),
    "rating_weights": np.array([1.0], np.float32),
    "periods": np.array([1, 2], np.int32),
}


def test_a_share_has_its_users_with_their_histories_and_pairs_and_every_column() -> None:
    share = share_of(TWO_USERS, 1, 2)
    expected = {
        "user_rows": [8],
        "timestamps": [80],
        "history_lengths": [2],
        "history_rows": [4, 5],
        "history_ratings": [2, 3],
        "history_timestamps": [61, 62],
        "candidate_rows": [3, 4, 5, 9],
        "log_sampling": [-1, -2, -3, -4],
        "retrieval_pairs": [[0, 0], [0, 3]],
        "retrieval_weights": [0.25, 0.25],
        "masked_pairs": [[0, 1], [0, 2]],
        "rating_pairs": [[0, 3]],
        "ratings": [4],
        "rating_weights": [1],
        "periods": [2],
    }
    assert {name: values.tolist() for name, values in share.items()} == expected
    assert {name: values.dtype for name, values in share.items()} == {
        name: values.dtype for name, values in TWO_USERS.items()
    }


def test_the_only_share_is_the_batch() -> None:
    for name, values in share_of(TWO_USERS, 0, 1).items():
        np.testing.assert_array_equal(values, TWO_USERS[name])


def test_where_workers_are_more_than_users_some_shares_are_empty() -> None:
    users = [share_of(TWO_USERS, rank, 3)["user_rows"].tolist() for rank in range(3)]
    assert sorted(users) == [[], [7], [8]]


@pytest.mark.parametrize("changes", [{}, {"full_softmax_candidates": 0, "uniform_negatives": 7}])
def test_gradients_of_all_shares_add_up_to_those_of_the_batch(
    train_table: RatingsTable, random_model: TrainedModel, changes: dict[str, int]
) -> None:
    config = replace(SMALL_CONFIG, batch_size=5, **changes)  # type: ignore[arg-type]  # int is meant
    batch = next(ExampleSampler(Histories.from_table(train_table), config).batches())
    model = random_model.model

    def gradients_of(part: Batch) -> list[np.ndarray]:
        with tf.GradientTape() as tape:
            losses = model({name: tf.constant(values) for name, values in part.items()})
            loss = losses["retrieval"] + losses["rating"]
        found = tape.gradient(loss, model.trainable_variables)
        return [np.array(loss), *(tf.convert_to_tensor(each).numpy() for each in found)]

    whole = gradients_of(batch)
    for workers in (2, 3, 7):  # of five users
        shares = [gradients_of(share_of(batch, rank, workers)) for rank in range(workers)]
        for values, *parts in zip(whole, *shares, strict=True):
            np.testing.assert_allclose(sum(parts), values, rtol=0, atol=2e-6)


def test_periods_of_the_trend_go_with_their_users(train_table: RatingsTable) -> None:
    trend = fit_trend(train_table)
    histories = Histories.from_table(train_table)
    batch = next(ExampleSampler(histories, replace(SMALL_CONFIG, batch_size=6), trend).batches())
    periods = [share_of(batch, rank, 2)["periods"] for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate(periods), batch["periods"])
