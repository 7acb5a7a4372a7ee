from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import SMALL_CONFIG

from service.bundle import NO_ROW
from service.bundle.query_encoding import encode_queries, untimed_history
from training.data.table import RatingsTable
from training.model.histories import Histories
from training.model.initial_scores import InitialScores
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import build_vocabulary


def untrained(table: RatingsTable, **changes: Any) -> TrainedModel:
    """A model whose random tables hardly count beside its factors."""
    config = replace(
        SMALL_CONFIG, time_buckets=0, use_user_id=False, use_content=False, factor_scale=900.0, **changes
    )
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    return TrainedModel(TwoTowerModel(vocabulary, config), vocabulary, histories, config, {})


@pytest.mark.parametrize("scales", [(1e6,), (3.0, 20.0, 100.0)])
@pytest.mark.parametrize("popularity_scale", [1.0, 0.25])
def test_they_are_those_of_a_model_that_has_not_been_trained(
    train_table: RatingsTable, scales: tuple[float, ...], popularity_scale: float
) -> None:
    model = untrained(train_table, history_scales=scales, popularity_scale=popularity_scale)
    users = np.array([0, 50, 119], np.int32)
    inputs = model.histories.query_inputs(users, model.config.max_history)
    expected = model.embed_queries(inputs) @ model.candidate_embeddings.T
    initial = InitialScores(train_table, model.histories, model.config)
    found = initial.score(users, popularity_scale=popularity_scale, factor_scale=900.0)
    for of_user, of_model in zip(found, expected, strict=True):
        assert np.corrcoef(of_user, of_model)[0, 1] > 0.99
        assert of_user.std() == pytest.approx(of_model.std(), rel=0.1)


def test_of_what_the_towers_learned_nothing_all_or_a_share_is_kept(
    make_model: Callable[..., TrainedModel], train_table: RatingsTable
) -> None:
    model = make_model(factor_scale=16.0, popularity_scale=0.5)
    users = np.array([0, 50, 119], np.int32)
    inputs = model.histories.query_inputs(users, model.config.max_history)

    def scores(share: float) -> NDArray[np.float32]:
        with model.model.keeping(retrieval=share):
            found: NDArray[np.float32] = model.embed_queries(inputs) @ replace(model).candidate_embeddings.T
        return found

    learned, before = scores(1.0), [weight.numpy() for weight in model.model.trainable_variables]
    initial = InitialScores(train_table, model.histories, model.config)
    expected = initial.score(users, popularity_scale=0.5, factor_scale=16.0)
    np.testing.assert_allclose(scores(0.0), expected, atol=1e-4)
    assert np.abs(learned - expected).max() > 0.1
    near = np.abs(scores(0.1) - expected).mean()
    assert 0 < near < np.abs(scores(0.5) - expected).mean() < np.abs(learned - expected).mean()
    for weight, value in zip(model.model.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_users_without_history_get_popularity_in_full(train_table: RatingsTable) -> None:
    initial = InitialScores(train_table, Histories.from_table(train_table), SMALL_CONFIG)
    [scores] = initial.score(np.array([NO_ROW], np.int32), popularity_scale=0.0, factor_scale=5.0)
    counts = np.log1p(train_table.movie_counts)
    np.testing.assert_allclose(scores, counts - counts.mean(), atol=1e-5)


@pytest.mark.parametrize(("length", "expected"), [(0, 1.0), (1, 0.625), (3, 0.4375), (9, 0.325)])
def test_the_longer_a_history_the_less_its_query_weighs_a_bias(
    train_table: RatingsTable, length: int, expected: float
) -> None:
    """(1 + n / 4) / (1 + n) for a popularity scale of a quarter."""
    model = untrained(train_table, popularity_scale=0.25)
    [query] = model.embed_queries(encode_queries([untimed_history(range(length), [4.0] * length)]))
    assert query[-1] == pytest.approx(expected)
