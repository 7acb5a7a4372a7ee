import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_ratings import Rating, table_of

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.model.histories import Histories

MOVIES = ["1", "2", "3", "10"]
RATINGS: list[Rating] = [
    ("9", "10", 1.0, 300),
    ("10", "3", 4.5, 100),
    ("9", "2", 2.0, 200),
    ("é", "1", 3.0, -5),
    ("9", "1", 3.0, 300),
    ("10", "1", 5.0, 50),
    ("9", "3", 4.0, 100),
]


@pytest.fixture(scope="module")
def histories() -> Histories:
    return Histories.from_table(table_of(RATINGS, MOVIES))


def of_user(histories: Histories, user_id: str) -> list[tuple[int, float, int]]:
    at = histories.rows_of(histories.user_ids.index(user_id))
    columns = histories.movie_rows[at], histories.ratings[at], histories.timestamps[at]
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_users_are_in_the_order_of_their_utf_8_bytes(histories: Histories) -> None:
    # The table's own order is "9", "10", "é"; in UTF-16 the last two of these would change places.
    assert histories.user_ids == ("10", "9", "é")
    many = Histories.from_table(table_of([(each, "1", 3, 0) for each in ("🎬", "\ufb01", "z", "aa", "a")]))
    assert many.user_ids == ("a", "aa", "z", "\ufb01", "🎬")


def test_ratings_are_in_order_of_time(histories: Histories) -> None:
    assert of_user(histories, "9")[:2] == [(2, 4.0, 100), (1, 2.0, 200)]
    assert sorted(of_user(histories, "9")[2:]) == [(0, 3.0, 300), (3, 1.0, 300)]
    assert of_user(histories, "10") == [(0, 5.0, 50), (2, 4.5, 100)]
    assert of_user(histories, "é") == [(0, 3.0, -5)]
    assert histories.offsets.tolist() == [0, 2, 6, 7]


def test_arrays_have_the_types_that_the_bundle_states(histories: Histories) -> None:
    assert histories.offsets.dtype == np.int64
    assert histories.movie_rows.dtype == np.int32
    assert histories.ratings.dtype == np.float32
    assert histories.timestamps.dtype == np.int64


def test_users_without_ratings_are_left_out() -> None:
    whole = table_of(RATINGS, MOVIES)
    rows = np.flatnonzero(whole.user_rows != whole.user_ids.index("10"))
    histories = Histories.from_table(whole.take(rows))
    assert histories.user_ids == ("9", "é")
    assert len(histories) == 2
    expected = {"9": 0, "10": NO_ROW, "é": 1}
    assert histories.positions(3).tolist() == [expected[user_id] for user_id in whole.user_ids]
    assert [whole.user_ids[row] for row in histories.table_rows] == ["9", "é"]


@given(order=st.permutations(RATINGS))
def test_the_order_of_the_rows_does_not_matter(order: list[Rating]) -> None:
    expected = Histories.from_table(table_of(RATINGS, MOVIES))
    found = Histories.from_table(table_of(order, MOVIES))
    assert found.user_ids == expected.user_ids
    for user_id in found.user_ids:
        assert of_user(found, user_id) == of_user(expected, user_id)


def test_a_query_reads_the_history_of_its_user_oldest_first(histories: Histories) -> None:
    inputs = histories.query_inputs(np.array([1, 0, NO_ROW], np.int32), 10)
    assert inputs["user_rows"].tolist() == [1, 0, NO_ROW]
    assert inputs["history_lengths"].tolist() == [4, 2, 0]
    assert inputs["history_rows"].tolist() == [2, 1, 3, 0, 0, 2]  # 3 and 0 tie: see `tie_order`
    assert inputs["history_ratings"].tolist() == [4, 2, 1, 3, 5, 4.5]
    assert inputs["history_timestamps"].tolist() == [100, 200, 300, 300, 50, 100]
    assert inputs["timestamps"].tolist() == [NO_TIMESTAMP] * 3
    timed = histories.query_inputs(np.array([1, 0, NO_ROW], np.int32), 10, np.array([7, 8, 9]))
    assert timed["timestamps"].tolist() == [7, 8, 9]


def test_a_long_history_is_cut_to_its_most_recent_movies(histories: Histories) -> None:
    inputs = histories.query_inputs(np.array([0, 1], np.int32), 1)
    assert inputs["history_rows"].tolist() == [2, 0]
    inputs = histories.query_inputs(np.array([0, 1, 2], np.int32), 3)
    assert inputs["history_lengths"].tolist() == [2, 3, 1]
    assert inputs["history_rows"].tolist() == [0, 2, 1, 3, 0, 0]


def test_ratings_of_every_movie_are_counted(histories: Histories) -> None:
    assert histories.movie_counts.tolist() == [3, 1, 2, 1]
    assert histories.num_candidates == 4
    unrated = Histories.from_table(table_of(RATINGS, [*MOVIES, "11"]))
    assert unrated.movie_counts.tolist() == [3, 1, 2, 1, 0]
