import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.assembly import assemble_movies, assemble_ratings, share_tied
from training.data.repeats import Repeats
from training.data.table import RatingsTable

NONE = float("nan")


def assemble(rows: list[tuple[int, int, float, int, float]], repeats: Repeats) -> RatingsTable:
    """Rows of user, movie, stars, seconds, weight."""
    users, movies, stars, times, weights = (list(column) for column in zip(*rows, strict=True))
    return assemble_ratings(
        user_ids=[str(user) for user in range(5)],
        user_codes=np.array(users, np.int64),
        movies=assemble_movies([str(movie) for movie in range(5)], ["A film"] * 5, [[]] * 5),
        movie_rows=np.array(movies, np.int64),
        stars=np.array(stars, np.float32),
        timestamps=np.array(times, np.int64),
        user_features={},
        name="small",
        source="a test",
        weights=np.array(weights, np.float32),
        repeats=repeats,
    )


@pytest.mark.parametrize(("repeats", "weight"), [("latest", 3), ("sum", 7), ("max", 4)])
def test_the_row_of_a_pair_is_the_latest_and_weighs_what_is_wanted(repeats: Repeats, weight: float) -> None:
    rows = [(0, 1, NONE, 5, 4.0), (0, 2, NONE, 6, 9.0), (0, 1, NONE, 8, 3.0)]
    table = assemble(rows, repeats)
    assert table.movie_rows.tolist() == [2, 1]
    assert table.timestamps.tolist() == [6, 8]
    assert table.weights.tolist() == [9, weight]
    assert table.num_replaced == 1


def test_a_later_watch_does_not_take_a_rating_away() -> None:
    rows = [(0, 1, 4.0, 5, 1.0), (0, 1, 2.0, 4, 1.0), (0, 1, NONE, 8, 1.0), (0, 2, NONE, 9, 1.0)]
    table = assemble(rows, "latest")
    assert table.timestamps.tolist() == [5, 9]
    assert table.stars[0] == 4


ROWS = st.tuples(
    st.integers(0, 2),
    st.integers(0, 2),
    st.sampled_from([NONE, 1.0, 2.0]),
    st.integers(-2, 2),
    st.integers(1, 5),
)


@given(st.lists(ROWS, min_size=1))
def test_weights_are_summed_for_each_pair(rows: list[tuple[int, int, float, int, float]]) -> None:
    sums: dict[tuple[int, int], float] = {}
    for user, movie, _, _, weight in rows:
        sums[user, movie] = sums.get((user, movie), 0) + weight
    table = assemble(rows, "sum")
    pairs = zip(table.user_rows.tolist(), table.movie_rows.tolist(), table.weights.tolist(), strict=True)
    assert {(user, movie): weight for user, movie, weight in pairs} == sums
    assert table.num_replaced == len(rows) - len(sums)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-(10**17), -5, 0, 7, 10**17])), min_size=2))
def test_ties_are_counted_by_pairs(rows: list[tuple[int, int]]) -> None:
    users, times = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    pairs = [(one, two) for one in range(len(rows)) for two in range(one) if users[one] == users[two]]
    pairs = pairs or [(one, two) for one in range(len(rows)) for two in range(one)]
    tied = sum(times[one] == times[two] for one, two in pairs)
    assert share_tied(users, times) == pytest.approx(tied / len(pairs))
