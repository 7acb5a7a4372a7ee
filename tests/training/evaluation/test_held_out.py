import numpy as np
import pytest
from synthetic_ratings import Rating, table_of

from training.data.splits import Split
from training.errors import NothingHeldOut
from training.evaluation import held_out as module
from training.evaluation.held_out import hold_out


def test_counts_say_who_was_measured_and_what_the_training_rows_do_not_know() -> None:
    train: list[Rating] = [("1", "a", 3.0, 0), ("2", "b", 3.0, 1)]
    test: list[Rating] = [("1", "b", 3.0, 2), ("1", "c", 3.0, 3), ("3", "a", 3.0, 4)]
    rows = np.arange(5)
    held = hold_out(table_of([*train, *test]), Split("global", rows[:2], rows[2:]))
    assert held.has_history.tolist() == [True, False]
    assert held.to_document() == {
        "split": "global",
        "train_ratings": 2,
        "test_ratings": 3,
        "test_users": 2,
        "all_test_users": 2,
        "cold_start_users": 1,
        "new_movie_ratings": 1,
    }


def test_a_split_that_leaves_nothing_to_measure_on_is_refused() -> None:
    table = table_of([("1", str(movie), 3.0, movie) for movie in range(7)])
    rows = np.arange(7)
    for train, test, got in ((rows, rows[:0], "7 and 0"), (rows[:1], rows[1:], "1 and 6")):
        with pytest.raises(NothingHeldOut, match=rf"by the temporal split, got {got} of 7.*--evaluate none"):
            hold_out(table, Split("temporal", train, test))


def test_of_very_many_users_the_same_sample_is_measured_each_time_with_all_their_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_USERS", 30)
    table = table_of([(str(user), str(movie), 3.0, movie) for user in range(100) for movie in range(3)])
    split = Split("temporal", np.flatnonzero(table.movie_rows == 0), np.flatnonzero(table.movie_rows > 0))
    held, again = hold_out(table, split), hold_out(table, split)
    counts = np.bincount(held.test.user_rows, minlength=100)
    assert sorted(set(counts.tolist())) == [0, 2]
    assert np.count_nonzero(counts) == 30
    assert (held.num_test_users, held.to_document()["all_test_users"]) == (100, 100)
    assert len(held.train) == 100
    np.testing.assert_array_equal(held.test.user_rows, again.test.user_rows)
