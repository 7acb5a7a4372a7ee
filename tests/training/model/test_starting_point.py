from dataclasses import replace
from typing import Any

import numpy as np
from synthetic_ratings import SMALL_CONFIG, table_of

from service.bundle.query_encoding import encode_queries, untimed_history
from training.data.table import RatingsTable
from training.evaluation.baselines.ease import Ease
from training.model.histories import Histories
from training.model.popularity_trend import fit_trend
from training.model.starting_point import StartingPoint, item_factors, starting_point
from training.model.trained_model import TrainedModel
from training.model.two_tower_model import TwoTowerModel
from training.model.vocabulary import build_vocabulary


def begin(table: RatingsTable, rating_spread: float = 1.0, **changes: Any) -> StartingPoint:
    config = replace(SMALL_CONFIG, **changes)
    return starting_point(table, Histories.from_table(table), config, rating_spread)


def test_popularity_is_the_log_of_the_ratings_and_one_more_about_its_mean() -> None:
    table = table_of(
        [("1", "a", 3.0, 0), ("2", "a", 3.0, 0), ("3", "a", 3.0, 0), ("3", "b", 3.0, 1)], ["a", "b", "c"]
    )
    start = begin(table)
    logs = np.log([4, 2, 1])
    np.testing.assert_allclose(start.popularity, logs - logs.mean(), atol=1e-6)
    assert start.popularity.dtype == np.float32
    assert start.trend is None


def test_with_a_trend_it_is_what_is_popular_after_all_ratings(train_table: RatingsTable) -> None:
    start = begin(train_table, use_trend=True)
    assert start.trend is not None
    now = fit_trend(train_table).now
    np.testing.assert_allclose(start.popularity, now - now.mean(), atol=1e-6)
    untimed = begin(replace(train_table, has_times=False), use_trend=True)
    assert untimed.trend is None


def test_movie_biases_are_in_standard_deviations(train_table: RatingsTable) -> None:
    in_stars, in_halves = begin(train_table), begin(train_table, rating_spread=0.5)
    assert np.abs(in_stars.movie_biases).max() > 0
    np.testing.assert_allclose(in_halves.movie_biases, 2 * in_stars.movie_biases, rtol=1e-5)


def test_item_tables_begin_at_factors_times_their_scale(train_table: RatingsTable) -> None:
    read, predicted = item_factors(Histories.from_table(train_table), SMALL_CONFIG)
    start = begin(train_table, factor_scale=9.0)
    np.testing.assert_allclose(
        start.read_factors @ start.predicted_factors.T, 9 * read @ predicted.T, atol=1e-5
    )
    assert not begin(train_table, factor_scale=0.0).read_factors.any()


def untrained(table: RatingsTable, **changes: Any) -> TrainedModel:
    config = replace(SMALL_CONFIG, time_buckets=0, use_user_id=False, use_content=False, **changes)
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    return TrainedModel(TwoTowerModel(vocabulary, config), vocabulary, histories, config, {})


def test_a_model_that_has_not_been_trained_ranks_for_an_empty_history_by_popularity(
    train_table: RatingsTable,
) -> None:
    model = untrained(train_table)
    [query] = model.embed_queries(encode_queries([untimed_history([], [])]))
    scores = model.candidate_embeddings @ query
    counts = np.log1p(train_table.movie_counts)
    np.testing.assert_allclose(scores, counts - counts.mean(), atol=1e-5)


def test_a_model_that_has_not_been_trained_agrees_with_popularity_and_ease(train_table: RatingsTable) -> None:
    """With factors so large that the random part of the tables, of deviation 0.05, hardly counts."""
    model = untrained(train_table, factor_scale=900.0, embedding_dimension=84, history_scales=(1e6,))
    users = np.array([0, 50, 119], np.int32)
    scores = model.embed_queries(model.histories.query_inputs(users, 64)) @ model.candidate_embeddings.T
    scores -= model.vocabulary.start.popularity
    expected = Ease(model.histories, 300.0).score(users)
    for user, of_model, of_ease in zip(users.tolist(), scores, expected, strict=True):
        seen = model.histories.history_of(user).rows
        others = np.setdiff1d(np.flatnonzero(train_table.movie_counts), seen)
        assert np.corrcoef(of_model[others], of_ease[others])[0, 1] > 0.98
