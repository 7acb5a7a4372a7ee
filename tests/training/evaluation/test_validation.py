from dataclasses import replace

import numpy as np
import pytest
from synthetic_ratings import FIRST_TIMESTAMP, SMALL_CONFIG, Rating, table_of

from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.validation import Validation
from training.model.histories import Histories
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import build_vocabulary


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    """Two groups of 30 movies, each watched by its own 40 users."""
    random = np.random.default_rng(0)
    ratings: list[Rating] = []
    for user in range(80):
        for movie in (random.choice(30, 12, replace=False) + 30 * (user % 2)).tolist():
            ratings.append((str(user), f"{movie:02}", float(random.integers(1, 6)), FIRST_TIMESTAMP))
    table = replace(table_of(ratings, [f"{movie:02}" for movie in range(60)]), has_times=False)
    return hold_out(table, split_by_name(table, "random"))


def untrained(table: RatingsTable, noise: float, factor_scale: float) -> TrainedModel:
    """A model that begins at factors of a scale, and of which what was learned is noise."""
    config = replace(
        SMALL_CONFIG, time_buckets=0, embedding_dimension=8, factor_scale=factor_scale, history_scales=(1e6,)
    )
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    model = TwoTowerModel(vocabulary, config)
    random = np.random.default_rng(1)
    for tower in (model.query_tower, model.candidate_tower):
        for weight in tower.trainable_variables:
            weight.assign(weight + noise * random.normal(size=weight.shape).astype(np.float32))
    return TrainedModel(model, vocabulary, histories, config, {})


def test_of_noise_nothing_is_kept_and_the_figures_are_those_of_the_start(held_out: HeldOut) -> None:
    validation = Validation(held_out.test)
    noisy = validation(untrained(held_out.train, 3.0, 50.0))
    start = Validation(held_out.test)(untrained(held_out.train, 0.0, 50.0))
    assert noisy["retrieval_share"] < 0.5
    assert noisy["ndcg_at_10"] == pytest.approx(start["ndcg_at_10"], rel=0.15)


def test_all_is_kept_where_what_training_began_with_is_worse(held_out: HeldOut) -> None:
    """What was learned is a bias that raises what the held-out rows have, which nothing else knows."""
    model = untrained(held_out.train, 0.0, 0.0)
    wanted = np.bincount(held_out.test.movie_rows, minlength=60).astype(np.float32)
    model.model.candidate_tower._bias.assign(5 * wanted)
    found = Validation(held_out.test)(model)
    assert found["retrieval_share"] == 1


def test_the_towers_are_whole_afterwards_and_ratings_alone_choose_no_share(held_out: HeldOut) -> None:
    model = untrained(held_out.train, 3.0, 50.0)
    before = [weight.numpy() for weight in model.model.trainable_variables]
    assert Validation(held_out.test, ("rmse",))(model)["retrieval_share"] == 1
    Validation(held_out.test)(model)
    for weight, value in zip(model.model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_towers_with_dense_layers_are_kept_as_they_are(held_out: HeldOut) -> None:
    config = replace(SMALL_CONFIG, time_buckets=0, embedding_dimension=8, layers=(8,), history_scales=(1e6,))
    histories = Histories.from_table(held_out.train)
    vocabulary = build_vocabulary(held_out.train, histories, config)
    model = TrainedModel(TwoTowerModel(vocabulary, config), vocabulary, histories, config, {})
    assert Validation(held_out.test)(model)["retrieval_share"] == 1
