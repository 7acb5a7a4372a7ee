import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import NUM_CANDIDATES, USER_IDS, TinyModel

from service.bundle.histories import HISTORY_ARRAYS, Histories, History
from service.errors import BundleInconsistent, UnknownUser


@pytest.fixture(scope="session")
def histories(tiny_artifacts: Path) -> Histories:
    return Histories.open(tiny_artifacts / "tiny-1", NUM_CANDIDATES)


def test_histories_come_back_as_they_were_written_user_by_user(tmp_path: Path) -> None:
    ratings = History(
        np.array([3, 1, 2], np.int32), np.array([0.5, np.nan, 5], np.float32), np.array([7, 7, -(2**40)])
    )
    Histories.write(tmp_path, ["", "é", "🎬"], np.array([0, 2, 2, 3]), ratings)
    histories = Histories.open(tmp_path, num_candidates=4)
    assert (len(histories), histories.num_ratings) == (3, 3)
    assert [histories.user_id_of(row) for row in range(3)] == ["", "é", "🎬"]
    assert [histories.of_user(row).rows.tolist() for row in range(3)] == [[3, 1], [], [2]]
    np.testing.assert_array_equal(histories.of_user(0).ratings, [0.5, np.nan])
    assert histories.of_user(2).timestamps.tolist() == [-(2**40)]


def test_the_files_close_with_the_last_reference(tiny_artifacts: Path) -> None:
    gc.disable()  # a cycle would keep them until it is collected, which may be never
    try:
        histories = Histories.open(tiny_artifacts / "tiny-1", NUM_CANDIDATES)
        assert histories.user_row(USER_IDS[1]) == 1
        mapped = weakref.ref(histories.of_user(1).rows.base)
        del histories
        assert mapped() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("user_ids", [["b", "a"], ["a", "a"], ["🎬", "影"]])
def test_ids_out_of_order_are_not_written(tmp_path: Path, user_ids: list[str]) -> None:
    nothing = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int64))
    with pytest.raises(ValueError, match="expected user ids that ascend"):
        Histories.write(tmp_path, user_ids, np.zeros(3, np.int64), nothing)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("user_id", USER_IDS)
def test_every_user_is_found_with_all_they_rated_whatever_their_id(
    user_id: str, histories: Histories, tiny: TinyModel
) -> None:
    user_row = histories.user_row(user_id)
    assert user_row == USER_IDS.index(user_id)
    history = histories.of_user(user_row)
    columns = (history.rows.tolist(), history.ratings.tolist(), history.timestamps.tolist())
    assert list(zip(*columns, strict=True)) == tiny.histories[user_id]


@given(st.text())
def test_any_other_text_is_an_unknown_user(histories: Histories, text: str) -> None:
    assert histories.user_row(text) == (USER_IDS.index(text) if text in USER_IDS else None)


@pytest.mark.parametrize("unknown", ["a", "a\0", "a\0bc", "4", "420", "\0", "\U0010ffff", " 42"])
def test_a_neighbour_of_an_id_is_unknown(unknown: str, histories: Histories) -> None:
    assert histories.user_row(unknown) is None


def test_the_most_recent_of_a_history_are_its_end(histories: Histories, tiny: TinyModel) -> None:
    whole = histories.of_user(0)
    assert whole.last(3).rows.tolist() == [row for row, _, _ in tiny.histories[""]][-3:]
    assert len(whole.last(10_000)) == len(whole)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("ratings", lambda array: array[:-1]),
        ("offsets", lambda array: array[:-1]),
        ("offsets", lambda array: array[::-1].copy()),
        ("offsets", lambda array: array + 1),
        ("user_id_offsets", lambda array: array * 2),
        ("movie_rows", lambda array: array - 1000),
        ("movie_rows", lambda array: array + np.int32(NUM_CANDIDATES)),
        ("timestamps", lambda array: array.astype(np.float64)),
    ],
)
def test_arrays_that_disagree_are_inconsistent(artifacts: Path, name: str, spoil: Any) -> None:
    path = artifacts / "tiny-1" / HISTORY_ARRAYS[name]
    np.save(path, spoil(np.load(path)))
    with pytest.raises(BundleInconsistent, match="histories/"):
        Histories.open(artifacts / "tiny-1", NUM_CANDIDATES)


def test_mean_ratings_leave_out_what_was_not_rated(artifacts: Path, tiny: TinyModel) -> None:
    path = artifacts / "tiny-1" / HISTORY_ARRAYS["ratings"]
    ratings = np.load(path)
    ratings[0] = np.nan
    np.save(path, ratings)
    rated = [row for history in tiny.histories.values() for row, _, _ in history]
    given = {row: [stars for at, stars in zip(rated, ratings, strict=True) if at == row] for row in rated}
    means = Histories.open(artifacts / "tiny-1", NUM_CANDIDATES).mean_ratings
    for row in range(NUM_CANDIDATES):
        stars = [each for each in given.get(row, []) if not np.isnan(each)]
        assert means[row] == pytest.approx(np.mean(stars)) if stars else np.isnan(means[row])


def test_an_unknown_user_has_no_history(histories: Histories) -> None:
    assert len(histories.of_known_user("42")) > 0
    with pytest.raises(UnknownUser, match="'nobody'"):
        histories.of_known_user("nobody")
