from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest
from synthetic_ratings import FIRST_TIMESTAMP, Rating, table_of

from training.data.splits import split_by_name
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.validation import Validation
from training.model.trained_model import TrainedModel

MakeNoisy: TypeAlias = Callable[..., TrainedModel]


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    """Two groups of 30 movies, each watched by its own 40 users."""
    random = np.random.default_rng(0)
    ratings: list[Rating] = []
    for user in range(80):
        movies = (random.choice(30, 12, replace=False) + 30 * (user % 2)).tolist()
        stars = random.integers(1, 6, 12).tolist()
        ratings += [
            (str(user), f"{movie:02}", float(value), FIRST_TIMESTAMP)
            for movie, value in zip(movies, stars, strict=True)
        ]
    table = replace(table_of(ratings, [f"{movie:02}" for movie in range(60)]), has_times=False)
    return hold_out(table, split_by_name(table, "random"))


@pytest.fixture
def make(make_model: Callable[..., TrainedModel], held_out: HeldOut) -> MakeNoisy:
    """Makes models that begin at factors of a scale, and of which what the towers learned is noise."""

    def make(noise: float, factor_scale: float, **changes: Any) -> TrainedModel:
        trained = make_model(
            held_out.train,
            time_buckets=0,
            embedding_dimension=8,
            factor_scale=factor_scale,
            history_scales=(1e6,),
            **changes,
        )
        if not trained.config.layers:
            trained.model.keep_shares(retrieval=0.0, rating=1.0)
        random = np.random.default_rng(1)
        for tower in (trained.model.query_tower, trained.model.candidate_tower):
            for weight in tower.trainable_variables:
                weight.assign(weight + noise * random.normal(size=weight.shape).astype(np.float32))
        return trained

    return make


def test_of_noise_nothing_is_kept_and_the_figures_are_those_of_the_start(
    held_out: HeldOut, make: MakeNoisy
) -> None:
    validation = Validation(held_out.test)
    noisy = validation(make(3.0, 50.0))
    start = Validation(held_out.test)(make(0.0, 50.0))
    assert noisy["retrieval_share"] < 0.5
    assert noisy["ndcg_at_10"] == pytest.approx(start["ndcg_at_10"], rel=0.15)


def test_all_is_kept_where_what_training_began_with_is_worse(held_out: HeldOut, make: MakeNoisy) -> None:
    """What was learned is a bias that raises what the held-out rows have, which nothing else knows."""
    model = make(0.0, 0.0)
    wanted = np.bincount(held_out.test.movie_rows, minlength=60).astype(np.float32)
    model.model.candidate_tower._bias.assign(5 * wanted)
    found = Validation(held_out.test)(model)
    assert found["retrieval_share"] == 1


def test_the_towers_are_whole_afterwards_and_ratings_alone_choose_no_share(
    held_out: HeldOut, make: MakeNoisy
) -> None:
    model = make(3.0, 50.0)
    before = [weight.numpy() for weight in model.model.trainable_variables]
    assert Validation(held_out.test, ("rmse",))(model)["retrieval_share"] == 1
    Validation(held_out.test)(model)
    for weight, value in zip(model.model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_towers_with_dense_layers_are_kept_as_they_are(held_out: HeldOut, make: MakeNoisy) -> None:
    assert Validation(held_out.test)(make(3.0, 50.0, layers=(8,)))["retrieval_share"] == 1
