import numpy as np
import pytest

from training.data.user_blocks import user_blocks

USER_ROWS = np.array([3, 0, 0, 2, 3, 3, 0], np.int32)


@pytest.mark.parametrize(
    ("users", "most_rows", "expected"),
    [
        ([0, 1, 2, 3], 7, [[0, 1, 2, 3, 4, 5, 6]]),
        ([0, 1, 2, 3], 4, [[1, 2, 3, 6], [0, 4, 5]]),
        ([3, 2, 0], 4, [[0, 3, 4, 5], [1, 2, 6]]),  # in the order of the users, not of their rows
        ([0, 2, 3], 1, [[1, 2, 6], [3], [0, 4, 5]]),  # a user is never cut
        ([2, 1], 1, [[3]]),
        ([], 1, []),
    ],
)
def test_blocks_hold_whole_users_in_the_order_given(
    users: list[int], most_rows: int, expected: list[list[int]]
) -> None:
    blocks = user_blocks(USER_ROWS, np.array(users, np.int32), 4, most_rows)
    assert [block.tolist() for block in blocks if len(block)] == expected
