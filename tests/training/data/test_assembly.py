import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.assembly import assemble_movies, assemble_ratings
from training.data.table import RatingsTable


def assemble(users: list[int], movies: list[int], timestamps: list[int]) -> RatingsTable:
    """Ratings whose stars are their row numbers."""
    return assemble_ratings(
        user_ids=[str(user) for user in range(5)],
        user_codes=np.array(users, np.int64),
        movies=assemble_movies([str(movie) for movie in range(5)], ["A film"] * 5, [[]] * 5),
        movie_rows=np.array(movies, np.int64),
        stars=np.arange(len(users), dtype=np.float32),
        timestamps=np.array(timestamps, np.int64),
        user_features={},
        name="small",
        source="a test",
    )


def test_movies_are_in_id_order_with_their_columns() -> None:
    movies = assemble_movies(["10", "9"], ["Ten (2010)", "Nine"], [["Drama"], ["War"]])
    assert movies.movie_ids == ("9", "10")
    assert movies.titles == ("Nine", "Ten (2010)")
    assert movies.genres == (("War",), ("Drama",))
    assert movies.years.tolist() == [0, 2010]
    assert movies.years.dtype == np.int32


@pytest.mark.parametrize("missing", ["", "(no genres listed)", "unknown", "Unknown"])
def test_spellings_of_an_unknown_genre_are_dropped(missing: str) -> None:
    assert assemble_movies(["1"], ["A"], [[missing]]).genres == ((),)


def test_genres_have_one_spelling_and_occur_once() -> None:
    genres = [["Children's", " Sci-Fi", "Children", "Film-Noir"]]
    assert assemble_movies(["1"], ["A"], genres).genres == (("Children", "Sci-Fi", "Film-Noir"),)


def test_users_are_in_id_order_with_their_features() -> None:
    table = assemble_ratings(
        user_ids=["10", "9"],
        user_codes=np.array([0, 1]),
        movies=assemble_movies(["1"], ["A"], [[]]),
        movie_rows=np.array([0, 0]),
        stars=np.array([1, 2], np.float32),
        timestamps=np.array([1, 2], np.int64),
        user_features={"gender": ["M", "F"]},
        name="small",
        source="a test",
    )
    assert table.user_ids == ("9", "10")
    assert table.user_rows.tolist() == [1, 0]
    gender = table.user_features["gender"]
    assert [gender.vocabulary[code] for code in gender.codes] == ["F", "M"]
    assert [table.user_rows.dtype.name, table.movie_rows.dtype.name] == ["int32", "int32"]


def test_the_latest_of_two_ratings_of_a_movie_is_kept() -> None:
    table = assemble(users=[0, 0, 0, 1], movies=[3, 3, 4, 3], timestamps=[20, 10, 5, 1])
    assert table.stars.tolist() == [0, 2, 3]
    assert table.num_replaced == 1


def test_the_later_row_of_two_ratings_at_the_same_time_is_kept() -> None:
    table = assemble(users=[0, 1, 0, 0], movies=[3, 3, 3, 3], timestamps=[7, 7, 7, 7])
    assert table.stars.tolist() == [1, 3]
    assert table.num_replaced == 2


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-2, 2)), min_size=1))
def test_the_latest_rating_of_each_pair_is_kept_in_row_order(rows: list[tuple[int, int, int]]) -> None:
    latest: dict[tuple[int, int], int] = {}
    for row, (user, movie, timestamp) in enumerate(rows):
        if (user, movie) not in latest or timestamp >= rows[latest[user, movie]][2]:
            latest[user, movie] = row
    users, movies, timestamps = (list(column) for column in zip(*rows, strict=True))
    table = assemble(users, movies, timestamps)
    assert table.stars.tolist() == sorted(latest.values())
    assert table.num_replaced == len(rows) - len(latest)


@pytest.mark.parametrize(
    ("timestamps", "real"),
    [
        ([5, 5, 5, 5], False),
        ([5, 5, 5, 6], False),  # user 0: one of three pairs is not tied, user 1: one rating
        ([5, 5, 6, 6], True),
        ([1, 2, 3, 4], True),
    ],
)
def test_times_are_real_unless_most_of_a_users_ratings_tie(timestamps: list[int], real: bool) -> None:
    table = assemble(users=[0, 0, 0, 1], movies=[0, 1, 2, 0], timestamps=timestamps)
    assert table.has_times is real
    assert (table.timestamps.tolist() == timestamps) is real
