from pathlib import Path

import numpy as np

from benchmarks.many_users import write_histories
from service.bundle.histories import Histories, History


def own_histories(directory: Path) -> Histories:
    rows = np.array([3, 1, 2, 0, 3, 3], np.int32)
    ratings = np.array([5, np.nan, 1, 2, 3, 4], np.float32)
    Histories.write(
        directory, ["10", "7"], np.array([0, 4, 6]), History(rows, ratings, np.arange(6, dtype=np.int64))
    )
    return Histories.open(directory, num_candidates=4)


def test_the_bundles_own_users_keep_their_rows_and_histories_and_others_have_one_of_them(
    tmp_path: Path,
) -> None:
    own = own_histories(tmp_path / "own")
    rows = write_histories(tmp_path / "many", own, 500)
    many = Histories.open(tmp_path / "many", num_candidates=4)
    assert (len(many), many.num_ratings) == (502, rows)
    assert [many.user_row("10"), many.user_row("7"), many.user_row("u000000000")] == [0, 1, 2]
    for row in (0, 1):
        for kept, original in zip(vars_of(many.of_user(row)), vars_of(own.of_user(row)), strict=True):
            np.testing.assert_array_equal(kept, original)
    lengths = {len(many.of_user(row)) for row in range(2, 502)}
    assert lengths == {2, 4}
    last = many.of_known_user("u000000499")
    assert last.rows.tolist() in ([3, 1, 2, 0], [3, 3])


def vars_of(history: History) -> list[np.ndarray]:
    return [history.rows, history.ratings, history.timestamps]
