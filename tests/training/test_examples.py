import math
from collections import defaultdict
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import SMALL_CONFIG, Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.config import TrainingConfig
from training.examples import Batch, Example, ExampleSampler
from training.histories import Histories

NUM_MOVIES = 30
FORWARD = replace(SMALL_CONFIG, forward_share=1.0, short_share=0.0, time_dropout=0.0, batch_size=4)
INWARD = replace(FORWARD, forward_share=0.0)
BOTH = replace(FORWARD, forward_share=0.5, time_dropout=0.5)
SAMPLED = replace(BOTH, full_softmax_candidates=NUM_MOVIES - 1)


def some_histories() -> Histories:
    """Ten users with 1 to 20 ratings each; user "1" has one. The stars of a rating say whose it is."""
    random = np.random.default_rng(5)
    ratings: list[Rating] = []
    for user, length in enumerate([1, 1, 2, 3, 5, 8, 12, 16, 20, 20]):
        for at, movie in enumerate(random.choice(NUM_MOVIES, length, replace=False).tolist()):
            ratings.append((str(user), str(movie), stars_of(user, movie), 1_000 + 10 * at + user))
    return Histories.from_table(table_of(ratings, [str(movie) for movie in range(NUM_MOVIES)]))


def stars_of(user: int, movie: int) -> float:
    return user * 100 + movie + 0.5


@pytest.fixture(scope="module")
def histories() -> Histories:
    return some_histories()


def examples(histories: Histories, config: TrainingConfig, each: int = 60) -> list[tuple[int, Example]]:
    """(user row, example), several of every user."""
    sampler = ExampleSampler(histories, NUM_MOVIES, config)
    return [(user, sampler.draw(user)) for user in range(len(histories)) for _ in range(each)]


def batches(histories: Histories, config: TrainingConfig, number: int = 40) -> list[dict[str, Any]]:
    return list(islice(ExampleSampler(histories, NUM_MOVIES, config).batches(), number))


def length_of(histories: Histories, user: int) -> int:
    return int(histories.offsets[user + 1] - histories.offsets[user])


def movies_of(histories: Histories, user: int) -> list[int]:
    movies: list[int] = histories.movie_rows[histories.rows_of(user)].tolist()
    return movies


def by_user(pairs: NDArray[np.int32], candidate_rows: NDArray[np.int32]) -> dict[int, list[int]]:
    """Movie rows of each row of a batch."""
    movies = defaultdict(list)
    for at, column in pairs.tolist():
        movies[at].append(int(candidate_rows[column]))
    return movies


def whose(histories: Histories, batch: Batch) -> list[int]:
    """The user of each row of a batch, also of those shown as strangers: read from the targets' stars."""
    users = {}
    for (at, _), stars in zip(batch["rating_pairs"].tolist(), batch["ratings"].tolist(), strict=True):
        users[at] = histories.user_ids.index(str(int(stars) // 100))
    return [users[at] for at in range(len(batch["user_rows"]))]


@pytest.mark.parametrize("config", [FORWARD, INWARD, BOTH])
def test_what_is_read_is_never_what_is_predicted(histories: Histories, config: TrainingConfig) -> None:
    for user, example in examples(histories, config):
        read, retrieved, rated = (
            set(part.tolist()) for part in (example.read, example.retrieved, example.rated)
        )
        assert not read & (retrieved | rated)
        assert retrieved <= rated
        assert retrieved
        assert read | rated <= set(range(length_of(histories, user)))
        for part in (example.read, example.retrieved):
            assert part.tolist() == sorted(set(part.tolist()))
        assert len(rated) == len(example.rated)


def test_looking_forward_the_past_is_read_and_the_future_predicted(histories: Histories) -> None:
    for user, example in examples(histories, FORWARD):
        length = length_of(histories, user)
        cut = int(example.retrieved[0])
        assert example.retrieved.tolist() == list(range(cut, length))
        assert all(position < cut for position in example.read)
        if length > 1:
            assert 1 <= cut <= length - 1
            assert round(0.3 * length) - 1 <= cut <= round(0.95 * length) + 1


def test_what_is_dropped_from_the_past_is_rated_but_not_retrieved(histories: Histories) -> None:
    dropped = 0
    for user, example in examples(histories, FORWARD):
        assert sorted([*example.read, *example.rated]) == list(range(length_of(histories, user)))
        dropped += len(example.rated) - len(example.retrieved)
    assert dropped > 0
    for _, example in examples(histories, replace(FORWARD, history_dropout=0.0)):
        assert example.rated.tolist() == example.retrieved.tolist()


def test_some_read_only_the_last_movies_of_the_past_as_strangers_send_them(histories: Histories) -> None:
    user = int(np.argmax(np.diff(histories.offsets)))
    sampler = ExampleSampler(
        histories, 85, replace(FORWARD, short_share=0.25, short_history=3, history_dropout=0)
    )
    examples = [sampler.draw(user) for _ in range(400)]
    whole = [example for example in examples if len(example.read) > 3]
    lengths = [len(example.read) for example in examples if len(example.read) <= 3]
    assert 60 <= len(lengths) <= 140  # a quarter, give or take four standard deviations
    assert set(lengths) == {1, 2, 3}
    for example in examples:
        assert example.read[-1] + 1 == example.retrieved[0]  # nothing lies between
        np.testing.assert_array_equal(np.diff(example.read), 1)
        np.testing.assert_array_equal(example.rated, example.retrieved)
    assert all(example.read[0] == 0 for example in whole)


def test_filling_in_everything_hidden_is_retrieved_when_no_time_is_given(histories: Histories) -> None:
    for user, example in examples(histories, replace(INWARD, time_dropout=1.0)):
        assert example.timestamp == NO_TIMESTAMP
        assert example.retrieved.tolist() == example.rated.tolist()
        assert sorted([*example.read, *example.rated]) == list(range(length_of(histories, user)))


def test_filling_in_with_a_time_the_hidden_movies_nearest_to_it_are_retrieved(histories: Histories) -> None:
    config = replace(INWARD, time_window=3)
    sizes = set()
    for user, example in examples(histories, config):
        times = histories.timestamps[histories.rows_of(user)].tolist()
        anchor = times.index(example.timestamp)
        hidden = example.rated.tolist()
        sizes.add(len(example.retrieved))
        assert anchor in example.retrieved
        furthest = max(abs(position - anchor) for position in example.retrieved)
        closer = [position for position in hidden if abs(position - anchor) < furthest]
        assert set(closer) <= set(example.retrieved.tolist())
    assert sizes == {1, 2, 3}


def test_the_time_of_a_query_is_that_of_the_first_movie_to_come(histories: Histories) -> None:
    for user, example in examples(histories, FORWARD):
        times = histories.timestamps[histories.rows_of(user)]
        assert example.timestamp == times[example.retrieved[0]]


def test_the_time_is_left_out_as_often_as_asked_for(histories: Histories) -> None:
    for config in (FORWARD, INWARD):
        timeless = [
            example.timestamp == NO_TIMESTAMP
            for _, example in examples(histories, replace(config, time_dropout=0.25), each=200)
        ]
        assert np.mean(timeless) == pytest.approx(0.25, abs=0.04)


def test_of_a_single_rating_nothing_is_read(histories: Histories) -> None:
    for config in (FORWARD, INWARD):
        for user, example in examples(histories, config):
            if length_of(histories, user) == 1:
                assert example.read.tolist() == []
                assert example.retrieved.tolist() == example.rated.tolist() == [0]


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_an_epoch_shows_every_user_once(histories: Histories, config: TrainingConfig) -> None:
    sampler = ExampleSampler(histories, NUM_MOVIES, config)
    assert sampler.batches_per_epoch == 3  # 4 + 4 + 2
    endless = sampler.batches()
    orders = []
    for _ in range(2):
        epoch = [next(endless) for _ in range(3)]
        orders.append([user for batch in epoch for user in whose(histories, batch)])
        assert sorted(orders[-1]) == list(range(10))
    assert orders[0] != orders[1]


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_a_batch_reads_movies_of_the_user_with_their_ratings_and_times(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        for at, user in enumerate(whose(histories, batch)):
            where = histories.rows_of(user)
            stored = {
                movie: (stars, seconds)
                for movie, stars, seconds in zip(
                    histories.movie_rows[where].tolist(),
                    histories.ratings[where].tolist(),
                    histories.timestamps[where].tolist(),
                    strict=True,
                )
            }
            read = [row for row in batch["history_rows"][at].tolist() if row != NO_ROW]
            assert read == [movie for movie in movies_of(histories, user) if movie in read]
            for column, movie in enumerate(read):
                stars, seconds = stored[movie]
                assert batch["history_ratings"][at, column] == stars
                assert batch["history_timestamps"][at, column] == seconds
            padding = slice(len(read), None)
            assert np.all(batch["history_rows"][at, padding] == NO_ROW)
            assert np.isnan(batch["history_ratings"][at, padding]).all()
            assert np.all(batch["history_timestamps"][at, padding] == NO_TIMESTAMP)


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_a_batch_pairs_targets_with_the_right_movies_and_stars(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        columns, users = batch["candidate_rows"], whose(histories, batch)
        for (at, column), stars in zip(
            batch["rating_pairs"].tolist(), batch["ratings"].tolist(), strict=True
        ):
            assert stars == stars_of(int(histories.user_ids[users[at]]), int(columns[column]))
        rated = by_user(batch["rating_pairs"], columns)
        for at, movies in by_user(batch["retrieval_pairs"], columns).items():
            assert set(movies) <= set(rated[at])
            assert not set(rated[at]) & set(batch["history_rows"][at].tolist())


@pytest.mark.parametrize("config", [BOTH, SAMPLED])
def test_masked_are_exactly_the_other_movies_of_the_same_user(
    histories: Histories, config: TrainingConfig
) -> None:
    for batch in batches(histories, config):
        columns = batch["candidate_rows"]
        masked = by_user(batch["masked_pairs"], columns)
        retrieved = by_user(batch["retrieval_pairs"], columns)
        for at, user in enumerate(whose(histories, batch)):
            others = set(movies_of(histories, user)) - set(retrieved[at])
            assert sorted(masked[at]) == sorted(others & set(columns.tolist()))


def test_a_long_history_is_cut_to_its_most_recent_movies_and_the_rest_still_masked(
    histories: Histories,
) -> None:
    config = replace(FORWARD, max_history=2, history_dropout=0.0)
    widths = set()
    for batch in batches(histories, config):
        masked = by_user(batch["masked_pairs"], batch["candidate_rows"])
        for at, user in enumerate(whose(histories, batch)):
            past = [movie for movie in movies_of(histories, user) if movie in masked[at]]
            read = [row for row in batch["history_rows"][at].tolist() if row != NO_ROW]
            assert read == past[-2:]
        widths.add(batch["history_rows"].shape[1])
    assert max(widths) == 2


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


def test_known_users_are_shown_as_strangers_as_often_as_asked_for(histories: Histories) -> None:
    shown = []
    for batch in batches(histories, replace(BOTH, user_dropout=0.25), 200):
        users = np.array(whose(histories, batch))
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
        for batch in islice(ExampleSampler(histories, 5, config).batches(), number):
            times_in[batch["candidate_rows"]] += 1
            claimed |= dict(
                zip(batch["candidate_rows"].tolist(), batch["log_sampling"].tolist(), strict=True)
            )
        exact = [math.log(1 - (1 - count / 400) ** 8) for count in counts]
        assert [claimed[movie] for movie in range(5)] == pytest.approx(exact, abs=1e-5)
        assert np.exp(exact) == pytest.approx(times_in / number, abs=0.03)


def test_a_movie_that_everybody_rated_is_surely_sampled() -> None:
    histories = Histories.from_table(table_of([(str(user), "1", 3.0, 0) for user in range(4)], ["1", "2"]))
    [batch] = islice(ExampleSampler(histories, 2, replace(SAMPLED, full_softmax_candidates=1)).batches(), 1)
    assert batch["candidate_rows"].tolist() == [0]
    assert batch["log_sampling"].tolist() == pytest.approx([0])


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    def drawn(seed: int) -> list[dict[str, Any]]:
        return batches(some_histories(), replace(BOTH, seed=seed), 8)

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
        "history_rows": np.int32,
        "history_ratings": np.float32,
        "history_timestamps": np.int64,
        "candidate_rows": np.int32,
        "log_sampling": np.float32,
        "retrieval_pairs": np.int32,
        "retrieval_weights": np.float32,
        "masked_pairs": np.int32,
        "rating_pairs": np.int32,
        "ratings": np.float32,
    }
    for batch in batches(histories, config, 6):
        assert {name: values.dtype for name, values in batch.items()} == expected
        for name in ("retrieval_pairs", "masked_pairs", "rating_pairs"):
            assert batch[name].ndim == 2
            assert batch[name].shape[1] == 2
