import math
from collections import defaultdict
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of
from ten_users import BOTH, FORWARD, NUM_MOVIES, SAMPLED, movies_of, stars_of, ten_users

from service.bundle import NO_ROW
from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.model.examples import Batch, ExampleSampler
from training.model.histories import Histories
from training.model.popularity_trend import PopularityTrend


@pytest.fixture(scope="module")
def histories() -> Histories:
    return ten_users()


def batches(histories: Histories, config: TrainingConfig, number: int = 40) -> list[dict[str, Any]]:
    return list(islice(ExampleSampler(histories, config).batches(), number))


def by_user(pairs: NDArray[np.int32], candidate_rows: NDArray[np.int32]) -> dict[int, list[int]]:
    """Movie rows of each row of a batch."""
    movies = defaultdict(list)
    for at, column in pairs.tolist():
        movies[at].append(int(candidate_rows[column]))
    return movies


def users_of(histories: Histories, batch: Batch) -> list[int]:
    """The user of each row of a batch, also of rows without a user id: read from the targets' stars."""
    users = {}
    for (at, _), stars in zip(batch["rating_pairs"].tolist(), batch["ratings"].tolist(), strict=True):
        users[at] = histories.user_ids.index(str(int(stars) // 100))
    return [users[at] for at in range(len(batch["user_rows"]))]


def histories_of(batch: Batch) -> list[list[tuple[int, float, int]]]:
    """The movies that each row of a batch reads, with their stars and times."""
    columns = (batch[f"history_{name}"].tolist() for name in ("rows", "ratings", "timestamps"))
    entries = iter(zip(*columns, strict=True))
    split = [list(islice(entries, length)) for length in batch["history_lengths"].tolist()]
    assert list(entries) == []
    return split


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_an_epoch_contains_every_user_once(histories: Histories, config: TrainingConfig) -> None:
    sampler = ExampleSampler(histories, config)
    assert sampler.batches_per_epoch == 3  # 4 + 4 + 2
    endless = sampler.batches()
    orders = []
    for _ in range(2):
        epoch = [next(endless) for _ in range(3)]
        orders.append([user for batch in epoch for user in users_of(histories, batch)])
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_a_batch_reads_movies_of_the_user_with_their_ratings_and_times(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        read = histories_of(batch)
        for at, user in enumerate(users_of(histories, batch)):
            where = histories.rows_of(user)
            stored = zip(
                histories.movie_rows[where].tolist(),
                histories.ratings[where].tolist(),
                histories.timestamps[where].tolist(),
                strict=True,
            )
            assert read[at] == [entry for entry in stored if entry in read[at]]


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_a_batch_pairs_targets_with_the_right_movies_and_stars(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        columns, users = batch["candidate_rows"], users_of(histories, batch)
        for (at, column), stars in zip(
            batch["rating_pairs"].tolist(), batch["ratings"].tolist(), strict=True
        ):
            assert stars == stars_of(int(histories.user_ids[users[at]]), int(columns[column]))
        rated, read = by_user(batch["rating_pairs"], columns), histories_of(batch)
        for at, movies in by_user(batch["retrieval_pairs"], columns).items():
            assert set(movies) <= set(rated[at])
            assert not set(rated[at]) & {row for row, _, _ in read[at]}


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_masked_are_exactly_the_other_movies_of_the_same_user(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        columns = batch["candidate_rows"]
        masked = by_user(batch["masked_pairs"], columns)
        retrieved = by_user(batch["retrieval_pairs"], columns)
        for at, user in enumerate(users_of(histories, batch)):
            others = set(movies_of(histories, user)) - set(retrieved[at])
            assert sorted(masked[at]) == sorted(others & set(columns.tolist()))


def test_a_long_history_is_cut_to_its_most_recent_movies_and_the_rest_still_masked(
    histories: Histories,
) -> None:
    config = replace(FORWARD, max_history=2, history_dropout=0.0)
    lengths = set()
    for batch in batches(histories, config):
        read = histories_of(batch)
        masked = by_user(batch["masked_pairs"], batch["candidate_rows"])
        for at, user in enumerate(users_of(histories, batch)):
            past = [movie for movie in movies_of(histories, user) if movie in masked[at]]
            assert [row for row, _, _ in read[at]] == past[-2:]
            lengths.add(len(read[at]))
    assert lengths == {0, 1, 2}


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_weights_sum_to_1_and_grow_with_a_power_of_the_number_of_targets(
    histories: Histories, config: TrainingConfig, power: float
) -> None:
    for batch in batches(histories, replace(config, user_weight_power=power)):
        weights, users = batch["retrieval_weights"], batch["retrieval_pairs"][:, 0]
        assert weights.dtype == np.float32
        assert weights.sum() == pytest.approx(1, abs=1e-6)
        targets = np.bincount(users)
        of_user = np.bincount(users, weights)
        np.testing.assert_allclose(of_user, targets**power / np.sum(targets**power), rtol=1e-5)
        for at in range(len(targets)):
            assert np.ptp(weights[users == at]) == 0


def test_user_ids_are_left_out_as_often_as_configured(histories: Histories) -> None:
    shown = []
    for batch in batches(histories, replace(BOTH, user_dropout=0.25), 200):
        users = np.array(users_of(histories, batch))
        assert set(batch["user_rows"][batch["user_rows"] != users].tolist()) <= {NO_ROW}
        shown += (batch["user_rows"] != NO_ROW).tolist()
    assert np.mean(shown) == pytest.approx(0.75, abs=0.05)


def test_a_small_catalogue_is_scored_whole_and_not_corrected(histories: Histories) -> None:
    for batch in batches(histories, BOTH, 5):
        assert batch["candidate_rows"].tolist() == list(range(NUM_MOVIES))
        assert batch["log_sampling"].tolist() == [0] * NUM_MOVIES


def test_of_a_large_catalogue_the_movies_of_the_batch_are_scored(histories: Histories) -> None:
    for batch in batches(histories, SAMPLED):
        columns = batch["candidate_rows"].tolist()
        assert columns == sorted(set(columns))
        rated = by_user(batch["rating_pairs"], batch["candidate_rows"])
        assert set(columns) == {movie for movies in rated.values() for movie in movies}
        assert len(batch["log_sampling"]) == len(columns)
        assert np.all(batch["log_sampling"] <= 0)


def test_a_columns_sampling_probability_is_how_often_it_is_in_a_batch() -> None:
    """400 users with one rating each: a batch of eight is eight draws from the movies' popularity."""
    counts = [200, 100, 60, 30, 10]
    watched = [movie for movie, count in enumerate(counts) for _ in range(count)]
    histories = Histories.from_table(
        table_of([(str(user), str(movie), 3.0, 0) for user, movie in enumerate(watched)])
    )
    for forward_share in (0.0, 1.0):
        config = replace(BOTH, batch_size=8, full_softmax_candidates=1, forward_share=forward_share)
        claimed: dict[int, float] = {}
        times_in, number = np.zeros(5), 3_000
        for batch in islice(ExampleSampler(histories, config).batches(), number):
            times_in[batch["candidate_rows"]] += 1
            claimed |= dict(
                zip(batch["candidate_rows"].tolist(), batch["log_sampling"].tolist(), strict=True)
            )
        exact = [math.log(1 - (1 - count / 400) ** 8) for count in counts]
        assert [claimed[movie] for movie in range(5)] == pytest.approx(exact, abs=1e-5)
        assert np.exp(exact) == pytest.approx(times_in / number, abs=0.03)


def test_uniform_negatives_join_the_movies_of_the_batch_as_often_as_they_say() -> None:
    """Of six movies, one of which nobody rated, five draws are uniform and eight from popularity."""
    counts = [200, 100, 60, 30, 10]
    watched = [movie for movie, count in enumerate(counts) for _ in range(count)]
    ratings = [(str(user), str(movie), 3.0, 0) for user, movie in enumerate(watched)]
    histories = Histories.from_table(table_of(ratings, [str(movie) for movie in range(6)]))
    config = replace(BOTH, batch_size=8, full_softmax_candidates=1, uniform_negatives=5)
    claimed: dict[int, float] = {}
    times_in, number = np.zeros(6), 3_000
    for batch in islice(ExampleSampler(histories, config).batches(), number):
        columns = batch["candidate_rows"].tolist()
        assert columns == sorted(set(columns))
        times_in[columns] += 1
        claimed |= dict(zip(columns, batch["log_sampling"].tolist(), strict=True))
    exact = [1 - (1 - count / 400) ** 8 * (5 / 6) ** 5 for count in [*counts, 0]]
    assert np.exp([claimed[movie] for movie in range(6)]) == pytest.approx(exact, abs=1e-5)
    assert times_in / number == pytest.approx(exact, abs=0.03)


def test_uniform_negatives_are_no_targets_and_masked_where_the_user_watched_them(
    histories: Histories,
) -> None:
    beyond = 0
    for batch in batches(histories, replace(SAMPLED, uniform_negatives=20)):
        columns = batch["candidate_rows"]
        rated, masked = (by_user(batch[name], columns) for name in ("rating_pairs", "masked_pairs"))
        beyond += len(set(columns.tolist()) - {movie for movies in rated.values() for movie in movies})
        for at, user in enumerate(users_of(histories, batch)):
            own = set(movies_of(histories, user))
            assert set(rated[at]) <= own
            retrieved = by_user(batch["retrieval_pairs"], columns)[at]
            assert set(masked[at]) == (own - set(retrieved)) & set(columns.tolist())
    assert beyond > 0


def test_with_a_trend_every_query_has_the_period_of_its_moment() -> None:
    """Ten users at ten moments; without a time in the query too."""
    ratings = [(str(user), str(movie), 3.0, 1_000 * user) for user in range(10) for movie in range(2)]
    histories = Histories.from_table(replace_times(table_of(ratings), ratings))
    trend = PopularityTrend(np.array([2_000, 5_500]), np.zeros((4, 2), np.float32))
    config = replace(BOTH, user_dropout=0.0)
    for batch in islice(ExampleSampler(histories, config, trend).batches(), 20):
        expected = [0 if user < 2 else 1 if user < 6 else 2 for user in batch["user_rows"].tolist()]
        assert batch["periods"].tolist() == expected
        assert batch["periods"].dtype == np.int32


def replace_times(table: RatingsTable, ratings: list[Rating]) -> RatingsTable:
    """A table with its times, though each user's tie."""
    moments = {user_id: seconds for user_id, _, _, seconds in ratings}
    times = [moments[table.user_ids[row]] for row in table.user_rows.tolist()]
    return replace(table, timestamps=np.array(times, np.int64), has_times=True)


def test_a_movie_that_every_user_rated_is_sampled_for_certain() -> None:
    histories = Histories.from_table(table_of([(str(user), "1", 3.0, 0) for user in range(4)], ["1", "2"]))
    [batch] = islice(ExampleSampler(histories, replace(SAMPLED, full_softmax_candidates=1)).batches(), 1)
    assert batch["candidate_rows"].tolist() == [0]
    assert batch["log_sampling"].tolist() == pytest.approx([0])


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    def drawn(seed: int) -> list[dict[str, Any]]:
        return batches(ten_users(), replace(BOTH, seed=seed), 8)

    first, again, other = drawn(1), drawn(1), drawn(2)
    for batch, same in zip(first, again, strict=True):
        assert batch.keys() == same.keys()
        for name in batch:
            np.testing.assert_array_equal(batch[name], same[name])
            assert batch[name].dtype == same[name].dtype
    assert [batch["user_rows"].tolist() for batch in first] != [
        batch["user_rows"].tolist() for batch in other
    ]


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_arrays_of_a_batch_have_their_stated_types(histories: Histories, config: TrainingConfig) -> None:
    expected = {
        "user_rows": np.int32,
        "timestamps": np.int64,
        "history_lengths": np.int32,
        "history_rows": np.int32,
        "history_ratings": np.float32,
        "history_timestamps": np.int64,
        "candidate_rows": np.int32,
        "log_sampling": np.float32,
        "retrieval_pairs": np.int32,
        "retrieval_weights": np.float32,
        "masked_pairs": np.int32,
        "rating_pairs": np.int32,
        "rating_weights": np.float32,
        "ratings": np.float32,
    }
    for batch in batches(histories, config, 6):
        assert {name: values.dtype for name, values in batch.items()} == expected
        for name in ("retrieval_pairs", "masked_pairs", "rating_pairs"):
            assert batch[name].ndim == 2
            assert batch[name].shape[1] == 2
