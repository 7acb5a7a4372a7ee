import numpy as np

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import NO_HISTORY, encode_queries, untimed_history

STORED = History(
    np.array([3, 9, 4], np.int32), np.array([5, 1, 2], np.float32), np.array([10, 20, 30], np.int64)
)


def test_histories_follow_each_other_with_their_lengths() -> None:
    inputs = encode_queries(
        [untimed_history([4], [np.nan]), NO_HISTORY, STORED], [NO_ROW, NO_ROW, 2], [NO_TIMESTAMP, 7, 8]
    )
    assert inputs["user_rows"].tolist() == [NO_ROW, NO_ROW, 2]
    assert inputs["timestamps"].tolist() == [NO_TIMESTAMP, 7, 8]
    assert inputs["history_lengths"].tolist() == [1, 0, 3]
    assert inputs["history_rows"].tolist() == [4, 3, 9, 4]
    np.testing.assert_array_equal(inputs["history_ratings"], [np.nan, 5, 1, 2])
    assert inputs["history_timestamps"].tolist() == [NO_TIMESTAMP, 10, 20, 30]


def test_one_user_and_one_time_may_stand_for_all_queries_and_default_to_none() -> None:
    inputs = encode_queries([STORED, NO_HISTORY])
    assert inputs["user_rows"].tolist() == [NO_ROW] * 2
    assert inputs["timestamps"].tolist() == [NO_TIMESTAMP] * 2
    inputs = encode_queries([STORED, NO_HISTORY], 6, 1_000)
    assert inputs["user_rows"].tolist() == [6, 6]
    assert inputs["timestamps"].tolist() == [1_000] * 2


def test_arguments_have_the_types_of_the_contract() -> None:
    expected = {
        "user_rows": "int32",
        "timestamps": "int64",
        "history_lengths": "int32",
        "history_rows": "int32",
        "history_ratings": "float32",
        "history_timestamps": "int64",
    }
    for history in (STORED, NO_HISTORY, untimed_history([1], [2]), untimed_history([], [])):
        inputs = encode_queries([history])
        assert {name: array.dtype.name for name, array in inputs.items()} == expected
