import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from synthetic_ratings import FIRST_TIMESTAMP, SMALL_CONFIG, Rating, table_of

from training.config import TrainingConfig
from training.data.assembly import assemble_movies
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.starting_choice import StartingChoice, choose_starts
from training.model.adaptation import adapt

CONFIG = replace(SMALL_CONFIG, factor_scale=16.0, embedding_dimension=16)


def towns(*, closed: bool) -> RatingsTable:
    """Ratings of 200 places by 200 users, 8 each: those of the user's own town, or of all alike.

    Towns are of very different sizes, so the places of the large one are the popular ones.
    """
    random = np.random.default_rng(0)
    town_of_user = np.repeat([0, 1, 2], [140, 40, 20])
    ratings: list[Rating] = []
    for user, town in enumerate(town_of_user.tolist()):
        places = np.arange(town, 60, 3) if closed else np.arange(60)
        shares = 1 / (1 + np.arange(len(places)))
        chosen = random.choice(places, 8, replace=False, p=shares / shares.sum())
        ratings += [(str(user), f"{place:02}", float(1 + place % 5), FIRST_TIMESTAMP) for place in chosen]
    return replace(table_of(ratings, [f"{place:02}" for place in range(60)]), has_times=False)


def held_out(table: RatingsTable) -> HeldOut:
    return hold_out(table, split_by_name(table, "random"))


def starts(table: RatingsTable, config: TrainingConfig = CONFIG) -> list[StartingChoice]:
    held = held_out(table)
    return choose_starts(held, adapt(config, held.train))


def test_in_closed_groups_less_popularity_is_worth_a_trial() -> None:
    in_full, less = starts(towns(closed=True))
    assert in_full.popularity_scale == 1
    assert less.popularity_scale < 0.5
    assert less.factor_scale > 16


def test_where_all_choose_alike_popularity_counts_in_full_and_factors_less() -> None:
    [only] = starts(towns(closed=False))
    assert only.popularity_scale == 1
    assert only.factor_scale < starts(towns(closed=True))[0].factor_scale / 1.5


def test_of_many_ratings_some_users_choose_and_one_start_is_trained() -> None:
    held = held_out(towns(closed=True))
    half = len(held.train) // 2
    [only] = choose_starts(held, adapt(CONFIG, held.train), most_ratings=half)
    # What the whole data would choose: users of a town are alike.
    assert only.popularity_scale < 0.5
    assert only != starts(towns(closed=True))[1]


@pytest.mark.parametrize("changes", [{"use_history": False}, {"layers": (8,)}, {"factor_scale": 0.0}])
def test_without_factors_there_is_nothing_to_weigh(changes: dict[str, Any]) -> None:
    [only] = starts(towns(closed=True), replace(CONFIG, **changes))
    assert only.popularity_scale == 1
    assert only.factor_scale == StartingChoice().factor_scale


def rated_by(noise: float, harshness: float) -> RatingsTable:
    """Stars of users who are more or less harsh, with more or less noise."""
    random = np.random.default_rng(1)
    of_users = random.normal(0, harshness, 150)
    ratings: list[Rating] = []
    for user in range(150):
        for movie in random.choice(40, 10, replace=False).tolist():
            stars = float(np.clip(3 + of_users[user] + random.normal(0, noise), 1, 5))
            ratings.append((str(user), f"{movie:02}", stars, FIRST_TIMESTAMP))
    return replace(table_of(ratings, [f"{movie:02}" for movie in range(40)]), has_times=False)


def test_biases_of_users_who_differ_little_are_shrunk_most() -> None:
    alike = starts(rated_by(noise=1.0, harshness=0.0))[0]
    different = starts(rated_by(noise=0.3, harshness=1.0))[0]
    assert alike.user_bias_regularization == 50
    assert different.user_bias_regularization == 1


def test_without_ratings_there_is_no_bias_to_shrink() -> None:
    table = towns(closed=False)
    watched = replace(table, stars=np.full(len(table), np.nan, np.float32))
    [only] = starts(watched)
    assert only.movie_bias_regularization == StartingChoice().movie_bias_regularization


def groups(count: int) -> RatingsTable:
    """Groups of 10 movies that only their own users watch, and 20 users who watch anything at length."""
    random = np.random.default_rng(2)
    movies = count * 10
    ratings: list[Rating] = []
    for user in range(movies):
        own = (user % count) * 10 + random.choice(10, 5, replace=False)
        ratings += [(f"u{user}", f"{movie:04}", 3.0, FIRST_TIMESTAMP) for movie in own]
    for user in range(20):
        any_of_them = random.choice(movies, 150, replace=False)
        ratings += [(f"v{user}", f"{movie:04}", 3.0, FIRST_TIMESTAMP) for movie in any_of_them]
    table = table_of(ratings, [f"{movie:04}" for movie in range(movies)])
    return replace(table, has_times=False)


def test_sparse_groups_beside_long_histories_have_normalized_factors() -> None:
    assert all(start.movie_normalization > 0 for start in starts(groups(40)))
    assert not any(start.movie_normalization for start in starts(towns(closed=False)))


def test_how_factors_are_normalized_is_not_varied_where_it_was_asked_for() -> None:
    asked = replace(CONFIG, history_normalization=0.5)
    for start in starts(groups(40), asked):
        assert (start.history_normalization, start.movie_normalization) == (0.5, 0.0)


def test_more_groups_than_columns_have_more_columns_unless_these_were_asked_for() -> None:
    default = replace(CONFIG, embedding_dimension=64)
    assert {start.embedding_dimension for start in starts(groups(90), default)} == {128}
    assert {start.embedding_dimension for start in starts(groups(40), default)} == {64}
    asked = replace(default, embedding_dimension=32)
    assert {start.embedding_dimension for start in starts(groups(90), asked)} == {32}


def test_columns_are_doubled_again_where_there_are_more_groups_still() -> None:
    default = replace(CONFIG, embedding_dimension=64)
    assert {start.embedding_dimension for start in starts(groups(200), default)} == {256}


def liked_groups() -> RatingsTable:
    """Groups of 10 movies, of which users rate seven of their own 5 and up to seven of any others 1."""
    random = np.random.default_rng(3)
    ratings: list[Rating] = []
    for user in range(400):
        own = (user % 40) * 10 + random.choice(10, 7, replace=False)
        others = random.choice(400, 7, replace=False)
        ratings += [(f"u{user}", f"{movie:04}", 5.0, FIRST_TIMESTAMP) for movie in own]
        ratings += [(f"u{user}", f"{movie:04}", 1.0, FIRST_TIMESTAMP) for movie in set(others) - set(own)]
    return replace(table_of(ratings, [f"{movie:04}" for movie in range(400)]), has_times=False)


def test_ratings_count_in_factors_where_they_tell_what_belongs_together() -> None:
    assert {start.rating_emphasis for start in starts(liked_groups())} == {0.25}
    unrated = replace(liked_groups(), stars=np.full(len(liked_groups()), np.nan, np.float32))
    assert {start.rating_emphasis for start in starts(unrated)} == {0.0}


def test_of_many_ratings_there_are_no_more_columns() -> None:
    held = held_out(groups(160))
    config = adapt(replace(CONFIG, embedding_dimension=64), held.train)
    [only] = choose_starts(held, config, most_ratings=len(held.train) - 1)
    assert only.movie_normalization > 0
    assert only.embedding_dimension == 64


@pytest.mark.slow  # a minute
def test_of_a_large_catalogue_the_scores_of_few_users_are_held_at_once() -> None:
    """Float32 scores of 200 users and 300,000 movies are 240 MB an array, and several are needed at once."""
    table = towns(closed=True)
    movie_ids = [f"{movie:06}" for movie in range(300_000)]
    movies = assemble_movies(movie_ids, movie_ids, [[]] * len(movie_ids))
    held = held_out(replace(table, movies=movies))
    tracemalloc.start()
    try:
        choose_starts(held, adapt(CONFIG, held.train))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 800e6
