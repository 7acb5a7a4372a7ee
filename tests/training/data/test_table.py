import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.table import RatingsTable, UserFeature, id_order, tie_order


def small_table(**changes: object) -> RatingsTable:
    table = assemble_ratings(
        user_ids=["b", "a"],
        user_codes=np.array([0, 1, 0]),
        movies=assemble_movies(["10", "9"], ["Ten (2010)", "Nine"], [["Drama"], []]),
        movie_rows=np.array([1, 0, 0]),
        stars=np.array([4, 0.5, 3], np.float32),
        timestamps=np.array([30, -10, 20], np.int64),
        user_features={"gender": ["M", ""]},
        name="small",
        source="a test",
    )
    return dataclasses.replace(table, **changes)  # type: ignore[arg-type] # of any field


def test_ids_that_are_all_integers_are_ordered_by_value() -> None:
    assert id_order(["10", "9", "100"]).tolist() == [1, 0, 2]


def test_ids_are_ordered_as_text_if_one_is_not_an_integer() -> None:
    assert id_order(["10", "9", "tt1", "²"]).tolist() == [0, 1, 2, 3]


def test_no_ids_have_an_empty_order() -> None:
    assert id_order([]).tolist() == []


@given(st.lists(st.integers(0, 10**30).map(str)))
def test_integer_ids_sort_as_python_integers(ids: list[str]) -> None:
    assert [ids[row] for row in id_order(ids)] == sorted(ids, key=int)


def test_a_table_has_sizes_rating_scale_and_time_range() -> None:
    table = small_table()
    assert (len(table), table.num_ratings, table.num_users, table.num_movies) == (3, 3, 2, 2)
    assert table.rating_scale == (0.5, 4.0)
    assert table.time_range == (-10, 30)


def test_the_rating_scale_has_the_decimals_of_the_data() -> None:
    """The float32 of 0.1 is larger than 0.1 as float64, so a service would refuse a rating of 0.1."""
    stars = np.array([0.1, 0.7, 0.3], np.float32)
    assert dataclasses.replace(small_table(), stars=stars).rating_scale == (0.1, 0.7)


def test_taking_rows_keeps_the_vocabularies() -> None:
    part = small_table().take(np.array([2, 0]))
    assert part.timestamps.tolist() == [20, 30]
    assert part.num_users == 2
    assert part.num_movies == 2
    assert part.user_features["gender"].codes.tolist() == [-1, 0]


def test_without_rows_there_is_no_rating_scale_and_no_time_range() -> None:
    nothing = small_table().take(np.empty(0, np.int64))
    assert nothing.rating_scale is None
    assert nothing.time_range is None


def test_the_rating_scale_leaves_out_rows_without_a_rating() -> None:
    table = small_table(stars=np.array([np.nan, 2, 3], np.float32))
    assert table.is_rated.tolist() == [False, True, True]
    assert table.rating_scale == (2.0, 3.0)


def test_the_order_of_ties_is_not_that_of_movie_rows() -> None:
    users, movies = np.zeros(1000, np.int32), np.arange(1000, dtype=np.int32)
    order = np.argsort(tie_order(users, movies))
    assert abs(np.corrcoef(order, movies)[0, 1]) < 0.1
    assert len(np.unique(tie_order(users, movies))) == 1000


def test_a_feature_has_sorted_values_and_marks_the_missing() -> None:
    feature = UserFeature.of(["50", "", "1", "18", "1"])
    assert feature.vocabulary == ("1", "18", "50")
    assert feature.codes.tolist() == [2, -1, 0, 1, 0]


def test_the_hash_ignores_name_source_and_the_order_of_rows() -> None:
    table = small_table()
    shuffled = table.take(np.array([2, 0, 1]))
    renamed = dataclasses.replace(shuffled, name="other", source="elsewhere", num_replaced=7)
    assert renamed.sha256 == table.sha256
    assert len(table.sha256) == 64


@pytest.mark.parametrize(
    "changes",
    [
        {"stars": np.array([4, 0.5, 3.5], np.float32)},
        {"timestamps": np.array([30, -10, 21], np.int64)},
        {"movie_rows": np.array([1, 1, 0], np.int32)},
        {"user_rows": np.array([0, 0, 1], np.int32)},
        {"user_ids": ("a", "c")},
        {"user_features": {}},
        {"movies": assemble_movies(["9", "10"], ["Nine", "Ten (2011)"], [[], ["Drama"]])},
        {"movies": assemble_movies(["9", "10"], ["Nine", "Ten (2010)"], [[], ["War"]])},
    ],
)
def test_the_hash_differs_for_different_content(changes: dict[str, object]) -> None:
    assert small_table(**changes).sha256 != small_table().sha256


def test_the_ratings_of_a_movie_are_counted_for_each_table() -> None:
    table = small_table()
    assert table.movie_counts.tolist() == [2, 1]
    assert table.take(np.array([0])).movie_counts.tolist() == [0, 1]
