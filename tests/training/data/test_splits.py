import hashlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.splits import choose_split, global_split, random_split, split_by_name, temporal_split
from training.data.table import RatingsTable
from training.errors import DataError


def table_of(rows: list[tuple[int, int, int]], movie_ids: list[str]) -> RatingsTable:
    users, movies, timestamps = (list(column) for column in zip(*rows, strict=True))
    titles = assemble_movies(movie_ids, ["A film"] * len(movie_ids), [[]] * len(movie_ids))
    return assemble_ratings(
        user_ids=[str(user) for user in range(max(users) + 1)],
        user_codes=np.array(users),
        movies=titles,
        movie_rows=np.array([titles.movie_ids.index(movie_ids[movie]) for movie in movies]),
        stars=np.ones(len(rows), np.float32),
        timestamps=np.array(timestamps, np.int64),
        user_features={},
        name="small",
        source="a test",
    )


def many_rows(num_rows: int) -> RatingsTable:
    return table_of([(row, 0, row) for row in range(num_rows)], ["1"])


def slow_temporal_split(table: RatingsTable) -> tuple[set[int], set[int]]:
    """Straightforward implementation of the definition of `temporal_split`."""
    train, test = set(), set()
    ids = table.movies.movie_ids
    as_integers = all(movie_id.isdecimal() for movie_id in ids)
    for user in set(table.user_rows.tolist()):
        rows = [row for row in range(len(table)) if table.user_rows[row] == user]

        def when(row: int) -> tuple[int, int | str]:
            movie_id = ids[table.movie_rows[row]]
            return int(table.timestamps[row]), int(movie_id) if as_integers else movie_id

        rows.sort(key=when)
        num_test = round(0.2 * len(rows))
        train.update(rows[: len(rows) - num_test])
        test.update(rows[len(rows) - num_test :])
    return train, test


def test_the_published_random_split_starts_with_the_published_rows(movielens_100k: RatingsTable) -> None:
    split = random_split(movielens_100k)
    first = [
        (
            movielens_100k.user_ids[movielens_100k.user_rows[row]],
            movielens_100k.movies.titles[movielens_100k.movie_rows[row]],
        )
        for row in split.test[:3]
    ]
    assert first == [
        ("346", "M*A*S*H (1970)"),
        ("602", "Volcano (1997)"),
        ("393", "2001: A Space Odyssey (1968)"),
    ]
    assert (len(split.train), len(split.test)) == (80_000, 20_000)


def test_the_random_split_equals_the_published_recipe(movielens_100k: RatingsTable) -> None:
    tf.random.set_seed(42)
    rows = tf.data.Dataset.range(100_000).shuffle(100_000, seed=42, reshuffle_each_iteration=False)
    shuffled = np.concatenate(list(rows.batch(10_000).as_numpy_iterator()))
    split = random_split(movielens_100k)
    np.testing.assert_array_equal(split.train, shuffled[:80_000])
    np.testing.assert_array_equal(split.test, shuffled[80_000:])
    # Recorded once from this recipe, to detect a TensorFlow that shuffles in another way.
    published = "6f40d5a542420dfa4e2ba7b2e3746510e5e834e6563e58acc2845970f24488ba"
    assert hashlib.sha256(shuffled.astype("<i8").tobytes()).hexdigest() == published


@pytest.mark.parametrize("num_rows", [1, 2, 3, 7, 1_000])
def test_the_random_split_of_other_data_is_the_same_shuffle_over_all_rows(num_rows: int) -> None:
    tf.random.set_seed(42)
    rows = tf.data.Dataset.range(num_rows).shuffle(100_000, seed=42, reshuffle_each_iteration=False)
    shuffled = [int(row) for row in rows.as_numpy_iterator()]
    split = random_split(many_rows(num_rows))
    num_train = round(0.8 * num_rows)
    assert split.train.tolist() == shuffled[:num_train]
    assert split.test.tolist() == shuffled[num_train:]


def test_data_larger_than_the_published_buffer_is_shuffled_whole() -> None:
    split = random_split(many_rows(150_000))
    rows = np.concatenate([split.train, split.test])
    np.testing.assert_array_equal(np.sort(rows), np.arange(150_000))
    # Through a buffer of 100,000 no early place could hold one of the last rows.
    assert rows[:1_000].max() > 140_000


def test_the_random_split_does_not_change_the_global_seed() -> None:
    tf.random.set_seed(7)
    expected = tf.random.uniform([2]).numpy()
    tf.random.set_seed(7)
    random_split(many_rows(10))
    np.testing.assert_array_equal(tf.random.uniform([2]).numpy(), expected)


def test_the_temporal_split_of_movielens_has_the_published_sizes(movielens_100k: RatingsTable) -> None:
    split = temporal_split(movielens_100k)
    assert (len(split.train), len(split.test)) == (80_000, 20_000)
    latest, earliest = np.full(943, -1), np.full(943, 2**31)
    np.maximum.at(latest, movielens_100k.user_rows[split.train], movielens_100k.timestamps[split.train])
    np.minimum.at(earliest, movielens_100k.user_rows[split.test], movielens_100k.timestamps[split.test])
    assert (latest <= earliest).all()


def test_the_temporal_split_of_movielens_follows_the_definition(movielens_100k: RatingsTable) -> None:
    some = movielens_100k.take(np.flatnonzero(movielens_100k.user_rows < 20))
    split = temporal_split(some)
    assert (set(split.train.tolist()), set(split.test.tolist())) == slow_temporal_split(some)


rows_of_some_users = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 11), st.integers(0, 3)),
    min_size=1,
    unique_by=lambda row: row[:2],
)


@settings(deadline=None)
@given(rows_of_some_users, st.booleans())
def test_the_temporal_split_follows_the_definition(rows: list[tuple[int, int, int]], integers: bool) -> None:
    movie_ids = [str(movie) if integers else f"tt{movie}" for movie in range(12)]
    table = table_of(rows, movie_ids)
    split = temporal_split(table)
    assert (set(split.train.tolist()), set(split.test.tolist())) == slow_temporal_split(table)
    assert split.train.tolist() == sorted(split.train)
    assert split.test.tolist() == sorted(split.test)


def test_the_larger_movie_id_of_ratings_at_the_same_time_is_a_test_row() -> None:
    table = table_of([(0, 1, 5), (0, 0, 5), (0, 2, 5)], ["9", "10", "2"])
    assert temporal_split(table).test.tolist() == [0]


def test_ids_that_are_not_integers_are_compared_as_text() -> None:
    table = table_of([(0, 1, 5), (0, 0, 5), (0, 2, 5)], ["9", "10", "x2"])
    assert temporal_split(table).test.tolist() == [2]


@pytest.mark.parametrize("num_rated", [1, 2, 3, 4, 5, 7, 8, 12, 13, 17, 18, 22, 23, 27, 28, 252, 253])
def test_the_number_of_test_rows_of_a_user_is_rounded_to_even(num_rated: int) -> None:
    table = table_of(
        [(0, movie, movie) for movie in range(num_rated)], [str(movie) for movie in range(num_rated)]
    )
    assert len(temporal_split(table).test) == round(0.2 * num_rated)


times_of_some_rows = st.lists(st.integers(0, 6), min_size=1, max_size=30)


@settings(deadline=None)
@given(times_of_some_rows)
def test_the_global_split_is_at_the_moment_that_leaves_nearest_to_a_fifth(times: list[int]) -> None:
    table = table_of(
        [(row % 3, row, time) for row, time in enumerate(times)], [str(row) for row in range(30)]
    )
    split = global_split(table)
    rows_of = {table.movies.movie_ids.index(str(row)): row for row in range(len(times))}
    time_of = [times[rows_of[movie]] for movie in table.movie_rows.tolist()]
    assert sorted([*split.train.tolist(), *split.test.tolist()]) == list(range(len(times)))
    possible = {sum(time >= moment for time in times) for moment in times} - {len(times)}
    if not table.has_times or not possible:
        assert len(split.test) == 0
        return
    assert max(time_of[row] for row in split.train) < min(time_of[row] for row in split.test)
    off = abs(len(split.test) - 0.2 * len(times))
    assert off == pytest.approx(min(abs(size - 0.2 * len(times)) for size in possible))


def test_the_global_split_of_training_rows_is_at_an_earlier_moment(movielens_100k: RatingsTable) -> None:
    train = movielens_100k.take(split_by_name(movielens_100k, "global").train)
    validation = split_by_name(train, "global")
    assert abs(len(train) - 80_000) < 100
    assert abs(len(validation.test) - 16_000) < 100
    assert train.timestamps[validation.train].max() < train.timestamps[validation.test].min()


@pytest.mark.parametrize(
    ("wanted", "with_times", "without"),
    [
        ("auto", "global", "random"),
        ("global", "global", "random"),
        ("temporal", "temporal", "random"),
        ("random", "random", "random"),
    ],
)
def test_without_times_the_split_is_random_and_says_why(wanted: str, with_times: str, without: str) -> None:
    timed, untimed = many_rows(10), table_of([(row, 0, 5) for row in range(10)], ["1"])
    assert (timed.has_times, untimed.has_times) == (True, False)
    assert choose_split(timed, wanted) == (with_times, None)
    name, note = choose_split(untimed, wanted)
    assert name == without
    if wanted == "random":
        assert note is None
    else:
        assert note is not None
        assert "the times of small do not tell which of a user's ratings came first" in note
        assert (f"instead of by the {wanted} split" in note) == (wanted != "auto")


def test_a_split_is_chosen_by_name() -> None:
    table = many_rows(10)
    assert split_by_name(table, "random").name == "random"
    assert split_by_name(table, "temporal").name == "temporal"
    assert split_by_name(table, "global").name == "global"
    with pytest.raises(
        DataError, match="no split is called 'daily'; expected one of global, temporal, random"
    ):
        split_by_name(table, "daily")
