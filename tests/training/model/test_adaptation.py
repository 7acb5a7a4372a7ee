from dataclasses import replace

import numpy as np
import pytest
from synthetic_ratings import Rating, table_of

from training.config import PRESETS, TrainingConfig
from training.data.table import RatingsTable
from training.model.adaptation import adapt


def table_with(users: int, each: int) -> RatingsTable:
    """So many users with so many ratings each, at times of their own."""
    ratings: list[Rating] = [
        (str(user), str(movie), float(movie % 5), 100 * user + movie)
        for user in range(users)
        for movie in range(each)
    ]
    return table_of(ratings)


@pytest.mark.parametrize(
    ("users", "expected"),
    [(2, 32), (943, 32), (989, 32), (990, 33), (3_000, 100), (15_360, 512), (20_000, 512)],
)
def test_a_batch_is_a_thirtieth_of_the_users_from_32_to_512(users: int, expected: int) -> None:
    assert adapt(TrainingConfig(), table_with(users, 1)).batch_size == expected


@pytest.mark.parametrize(("each", "expected"), [(1, 6), (9, 6), (34, 22), (68, 45), (69, 45), (200, 45)])
def test_epochs_are_in_proportion_to_the_ratings_of_a_user_from_6_to_45(each: int, expected: int) -> None:
    """45 for 68 ratings of a user, as on MovieLens 100K."""
    assert adapt(TrainingConfig(), table_with(10, each)).epochs == expected


def test_users_without_rows_here_do_not_count() -> None:
    table = table_with(3_000, 34)
    some = table.take(np.flatnonzero(table.user_rows < 1_500))
    adapted = adapt(TrainingConfig(), some)
    assert (adapted.batch_size, adapted.epochs) == (50, 22)


def test_the_learning_rate_grows_with_the_fourth_root_of_the_batch() -> None:
    config = TrainingConfig(learning_rate=0.002)
    assert adapt(config, table_with(100, 2)).learning_rate == 0.002
    # A batch of 512 is sixteen times one of 32.
    assert adapt(config, table_with(16_000, 1)).learning_rate == pytest.approx(0.004)


def test_what_was_asked_for_stays() -> None:
    asked = TrainingConfig(epochs=3, batch_size=200, learning_rate=0.01)
    assert adapt(asked, table_with(1_000, 5)) == asked
    assert adapt(replace(asked, epochs=0), table_with(1_000, 5)) == replace(asked, epochs=6)


def without_times(table: RatingsTable) -> RatingsTable:
    return replace(table, has_times=False)


def watched_only(table: RatingsTable) -> RatingsTable:
    return replace(table, stars=np.full(len(table), np.nan, np.float32))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("users", [20, 2_000])
def test_what_is_adapted_is_not_adapted_again(preset: str, users: int) -> None:
    table = table_with(users, 12)
    for kind in (table, without_times(table), watched_only(table), watched_only(without_times(table))):
        for config in (TrainingConfig(**PRESETS[preset]), TrainingConfig(use_trend=True, retrieval_weight=0)):
            once = adapt(config, kind)
            assert adapt(once, kind) == once


@pytest.mark.parametrize("preset", PRESETS)
def test_without_times_nothing_looks_forward_or_forgets(preset: str) -> None:
    config = TrainingConfig(**PRESETS[preset] | {"use_trend": True})
    adapted = adapt(config, without_times(table_with(20, 12)))
    assert adapted.forward_share == 0
    assert (adapted.time_buckets, adapted.use_history_times, adapted.use_trend) == (0, False, False)
    [scale] = adapted.history_scales
    # The weight of the 512th movie, the furthest that is read.
    assert 1 / (1 + adapted.max_history / scale) > 0.999
    with_times = adapt(config, table_with(20, 12))
    assert with_times.forward_share == config.forward_share
    assert with_times.history_scales == config.history_scales
    assert with_times.use_trend


def test_without_ratings_only_what_is_watched_is_learned() -> None:
    watched = watched_only(table_with(20, 12))
    assert adapt(TrainingConfig(), watched).rating_weight == 0
    assert adapt(TrainingConfig(retrieval_weight=0.3), watched).retrieval_weight == 0.3
    # Nothing would be left to learn.
    assert adapt(TrainingConfig(retrieval_weight=0), watched).retrieval_weight == 1
    assert adapt(TrainingConfig(retrieval_weight=0), table_with(20, 12)).retrieval_weight == 0
