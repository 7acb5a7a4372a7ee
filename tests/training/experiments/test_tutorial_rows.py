import keras
import numpy as np
import pytest
import tensorflow as tf
from synthetic_ratings import Rating, table_of, two_clusters

from training.data.table import RatingsTable
from training.errors import DataError
from training.experiments.rating_rows import Epoch, RatingRows, TutorialData
from training.experiments.titles import Titles, tokens


@pytest.fixture(scope="module")
def table() -> RatingsTable:
    """Movies 2 and 3 have one title."""
    ratings: list[Rating] = [
        ("a", "1", 4.0, 0),
        ("a", "3", 2.0, 100),
        ("b", "2", 5.0, 50),
        ("b", "1", 1.0, 75),
    ]
    return table_of(ratings, ["1", "2", "3", "4"], titles=["Heat (1995)", "Up", "Up", "Nobody's, Up up"])


def test_movies_of_one_title_are_one_candidate(table: RatingsTable) -> None:
    titles = Titles.of(table.movies)
    assert titles.names == ("Heat (1995)", "Up", "Nobody's, Up up")
    assert titles.movie_ids == ("1", "2", "4")
    assert titles.row_of_movie.tolist() == [0, 1, 1, 2]
    assert RatingRows.from_table(table, titles, 3).candidate_rows.tolist() == [0, 1, 1, 0]


def test_words_are_those_of_keras() -> None:
    titles = ["Á köldum klaka (Cold Fever) (1994)", "M*A*S*H (1970)", "L'Été, ÉTÉ", "[A]\t\\b^ `c|{d}~ $1"]
    layer = keras.layers.TextVectorization(output_mode="int")
    layer.adapt(titles)
    vocabulary = layer.get_vocabulary()
    expected = [[vocabulary[at] for at in row if at] for row in layer(titles).numpy().tolist()]
    assert [tokens(title) for title in titles] == expected


def test_words_are_lower_case_without_punctuation_and_keep_the_year() -> None:
    assert tokens("M*A*S*H  (1970): Nobody's, up up!") == ["mash", "1970", "nobodys", "up", "up"]


def test_a_title_is_the_mean_of_its_words_and_rare_ones_are_one_unknown(table: RatingsTable) -> None:
    bags = Titles.of(table.movies).words(3)  # 'up' and two reserved ones
    assert set(bags.names) == {"up", "[UNK]"}
    up, unknown = bags.names.index("up"), bags.names.index("[UNK]")
    assert bags.rows.tolist() == [[unknown, unknown, -1], [up, -1, -1], [unknown, up, up]]
    np.testing.assert_allclose(bags.weights, [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]])


def test_times_are_cut_into_buckets_of_equal_width_and_normalized(table: RatingsTable) -> None:
    rows = RatingRows.from_table(table, Titles.of(table.movies), 3)  # boundaries at 0, 50 and 100
    assert rows.time_rows.tolist() == [1, 3, 2, 2]
    mean, spread = np.mean([0, 100, 50, 75]), np.std([0, 100, 50, 75])
    expected = (np.array([[0], [100], [50], [75]]) - mean) / spread
    np.testing.assert_allclose(rows.normalized_times, expected, rtol=1e-6)


def test_times_are_compared_with_boundaries_in_the_precision_of_keras() -> None:
    """MovieLens's first and last time, and those around each boundary: one in 600 is in another bucket."""
    first, last = 874_724_710, 893_286_638
    boundaries = np.linspace(first, last, 1_000)
    times = np.unique(
        np.concatenate([[first, last], *(boundaries.astype(int) + at for at in (-32, 0, 1, 32))])
    )
    times = times[(first <= times) & (times <= last)]
    rated: list[Rating] = [("a", str(at), 3.0, time) for at, time in enumerate(times.tolist())]
    table = table_of(rated)
    rows = RatingRows.from_table(table, Titles.of(table.movies), 1_000)
    expected = tf.raw_ops.Bucketize(input=table.timestamps, boundaries=boundaries.tolist()).numpy()
    np.testing.assert_array_equal(rows.time_rows, expected)


def test_an_epoch_has_every_row_once_and_counts_the_titles_of_each_batch() -> None:
    data = TutorialData.from_table(two_clusters(), 10)
    rows = data.train
    epoch = Epoch.shuffled(rows, 500, len(data.titles), np.random.default_rng(0))
    pairs = np.stack([rows.user_rows, rows.candidate_rows], axis=1).tolist()
    found, order = [], []
    for at, (start, end) in enumerate(zip(epoch.row_starts, epoch.row_starts[1:], strict=False)):
        columns = slice(epoch.column_starts[at], epoch.column_starts[at + 1])
        candidates, log_counts = epoch.candidate_rows[columns], epoch.log_counts[columns]
        targets = epoch.columns["targets"][start:end]
        titles = candidates[targets]
        found += np.stack([epoch.columns["user_rows"][start:end], titles], axis=1).tolist()
        order += titles.tolist()
        distinct, counts = np.unique(titles, return_counts=True)
        assert len(candidates) % 128 == 0
        np.testing.assert_array_equal(candidates[: len(distinct)], distinct)
        np.testing.assert_allclose(np.exp(log_counts[: len(distinct)]), counts, rtol=1e-5)
        assert (log_counts[len(distinct) :] == -1e9).all()
    assert sorted(found) == sorted(pairs)
    assert found != pairs
    assert np.diff(epoch.row_starts).tolist() == [500] * (len(rows) // 500) + [len(rows) % 500]


def test_a_table_too_small_to_hold_anything_out_is_refused() -> None:
    with pytest.raises(DataError, match="to hold out, got 1"):
        TutorialData.from_table(table_of([("a", "1", 4.0, 0)]), 10)
