import numpy as np
import pytest
import tensorflow as tf

from service.bundle import NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import encode_queries
from training.model.history_batch import HistoryBatch

NAN = float("nan")
Entry = tuple[int, float, int]
"""Candidate row, stars, Unix seconds."""


def batch_of(histories: list[list[Entry]], moments: list[int]) -> HistoryBatch:
    columns = [np.array(history).reshape(-1, 3).T for history in histories]
    encoded = encode_queries(
        [
            History(
                rows.astype(np.int32),
                ratings.astype(np.float32),
                np.array([entry[2] for entry in history], np.int64),
            )
            for (rows, ratings, _), history in zip(columns, histories, strict=True)
        ],
        timestamps=moments,
    )
    return HistoryBatch.from_inputs({name: tf.constant(array) for name, array in encoded.items()})


def distances(history: list[Entry], moment: int) -> list[float]:
    found: list[float] = batch_of([history], [moment]).distances.numpy().tolist()
    return found


HISTORY: list[Entry] = [(7, 5.0, 10), (3, 1.0, 20), (4, NAN, 20), (1, 2.0, 30)]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (NO_TIMESTAMP, [3, 2, 1, 0]),
        (30, [3, 2, 1, 0]),
        (1_000, [3, 2, 1, 0]),
        (29, [2, 1, 0, 0]),
        (20, [2, 1, 0, 0]),
        (19, [0, 0, 1, 2]),
        (9, [0, 1, 2, 3]),
    ],
)
def test_a_distance_counts_the_movies_between_one_and_the_time_of_the_query(
    moment: int, expected: list[float]
) -> None:
    assert distances(HISTORY, moment) == expected


def test_movies_without_a_time_of_their_own_count_as_earlier() -> None:
    timeless = [(row, stars, NO_TIMESTAMP) for row, stars, _ in HISTORY]
    assert distances(timeless, NO_TIMESTAMP) == [3, 2, 1, 0]
    assert distances(timeless, 15) == [3, 2, 1, 0]


def test_sent_movies_count_as_earlier_than_stored_ones_of_a_later_time() -> None:
    sent = [(8, 4.0, NO_TIMESTAMP), (9, 4.0, NO_TIMESTAMP)]
    # Before the time of the query: 7, 8, 9; after it: 3, 4, 1.
    assert distances(HISTORY + sent, 15) == [2, 0, 1, 2, 1, 0]


def test_distances_of_a_batch_are_counted_within_each_history() -> None:
    batch = batch_of([HISTORY, HISTORY[:2], [], HISTORY, []], [19, NO_TIMESTAMP, 5, 29, 7])
    assert batch.queries.numpy().tolist() == [0, 0, 0, 0, 1, 1, 3, 3, 3, 3]
    assert batch.movie_rows.numpy().tolist() == [7, 3, 4, 1, 7, 3, 7, 3, 4, 1]
    np.testing.assert_array_equal(batch.ratings.numpy(), [5, 1, NAN, 2, 5, 1, 5, 1, NAN, 2])
    assert batch.timestamps.numpy().tolist() == [10, 20, 20, 30, 10, 20, 10, 20, 20, 30]
    assert batch.distances.numpy().tolist() == [0, 0, 1, 2, 1, 0, 2, 1, 0, 0]
    assert int(batch.num_queries) == 5


def test_queries_without_any_history_have_sums_of_0() -> None:
    batch = batch_of([[], []], [NO_TIMESTAMP, 5])
    assert batch.sum(tf.ones_like(batch.distances)).numpy().tolist() == [0, 0]


def test_values_are_summed_by_query() -> None:
    batch = batch_of([HISTORY[:2], [], HISTORY], [NO_TIMESTAMP] * 3)
    values = np.arange(12.0, dtype=np.float32).reshape(6, 2)
    expected = [values[:2].sum(0), [0, 0], values[2:].sum(0)]
    np.testing.assert_array_equal(batch.sum(tf.constant(values)).numpy(), expected)
