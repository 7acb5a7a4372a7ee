import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from tiny_model import DIMENSION, FIRST_TIMESTAMP, TinyModel

from service.bundle import NO_ROW, NO_TIMESTAMP, query_tower
from service.bundle.golden_requests import HistoryEntry
from service.bundle.histories import History
from service.bundle.query_tower import QueryTower, TowerInput, flat_inputs
from service.bundle.saved_model import MODEL_DIRECTORY, save
from service.errors import BundleInconsistent
from service.recommending.recommender import Recommender


def history(*entries: tuple[int, float]) -> History:
    rows, ratings = zip(*entries, strict=True) if entries else ((), ())
    return History(
        np.array(rows, np.int32), np.array(ratings, np.float32), np.full(len(entries), NO_TIMESTAMP, np.int64)
    )


SHORT = TowerInput(NO_ROW, NO_TIMESTAMP, history((4, np.nan)))
LONG = TowerInput(2, FIRST_TIMESTAMP + 256, history((3, 5.0), (9, 1.0), (4, 2.0)))
EMPTY = TowerInput(NO_ROW, NO_TIMESTAMP, history())


def test_histories_follow_each_other_with_their_lengths() -> None:
    columns = flat_inputs([SHORT, EMPTY, LONG])
    assert columns["user_rows"].tolist() == [NO_ROW, NO_ROW, 2]
    assert columns["timestamps"].tolist() == [NO_TIMESTAMP, NO_TIMESTAMP, FIRST_TIMESTAMP + 256]
    assert columns["history_lengths"].tolist() == [1, 0, 3]
    assert columns["history_rows"].tolist() == [4, 3, 9, 4]
    np.testing.assert_array_equal(columns["history_ratings"], [np.nan, 5, 1, 2])
    assert columns["history_timestamps"].tolist() == [NO_TIMESTAMP] * 4
    types = {name: column.dtype.name for name, column in columns.items()}
    assert types == {
        "user_rows": "int32",
        "timestamps": "int64",
        "history_lengths": "int32",
        "history_rows": "int32",
        "history_ratings": "float32",
        "history_timestamps": "int64",
    }


def by_hand(tiny: TinyModel) -> list[NDArray[np.float64]]:
    entries: list[HistoryEntry] = [
        {"movie_id": "m3", "rating": 5.0},
        {"movie_id": "m9", "rating": 1.0},
        {"movie_id": "m4", "rating": 2.0},
    ]
    return [
        tiny.embed(None, tiny.seen(None, [{"movie_id": "m4", "rating": None}]), None),
        # User row 2 is "7", here without what the bundle knows of their history.
        tiny.embed("7", tiny.seen(None, entries), FIRST_TIMESTAMP + 256),
        tiny.embed(None, [], None),
    ]


def test_a_batch_is_answered_as_one_by_one_and_as_by_hand(recommender: Recommender, tiny: TinyModel) -> None:
    together = recommender.tower.read([SHORT, LONG, EMPTY])
    alone = [recommender.tower.read([each])[0] for each in (SHORT, LONG, EMPTY)]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[:, :DIMENSION], by_hand(tiny))


def test_more_movies_than_one_call_takes_are_read_in_several(
    recommender: Recommender, tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (0, 1, 3, 4):
        monkeypatch.setattr(query_tower, "MOST_MOVIES_PER_CALL", most)
        read = recommender.tower.read([SHORT, LONG, EMPTY])
        np.testing.assert_array_equal(read[:, :DIMENSION], by_hand(tiny))


def test_a_directory_without_a_model_is_inconsistent(artifacts: Path) -> None:
    shutil.rmtree(artifacts / "tiny-1" / MODEL_DIRECTORY)
    with pytest.raises(BundleInconsistent, match="model: TensorFlow cannot load it"):
        QueryTower.open(artifacts / "tiny-1")


def test_a_spoilt_model_is_inconsistent(artifacts: Path) -> None:
    (artifacts / "tiny-1" / MODEL_DIRECTORY / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(BundleInconsistent, match="model: TensorFlow cannot load it"):
        QueryTower.open(artifacts / "tiny-1")


def test_a_model_that_takes_other_arguments_is_inconsistent(artifacts: Path) -> None:
    def query_state(users: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"query_states": tf.zeros([tf.size(users), 2])}

    module = tf.Module()
    function = tf.function(query_state).get_concrete_function(tf.TensorSpec([None], tf.int32, "users"))
    tf.saved_model.save(module, str(artifacts / "tiny-1" / MODEL_DIRECTORY), {"query_state": function})
    with pytest.raises(BundleInconsistent, match=r"to take \['history_lengths', .*, it takes \['users'\]"):
        QueryTower.open(artifacts / "tiny-1")


def test_what_tensorflow_cannot_write_is_an_error_of_the_file_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"\w+Error: .*file/model") as refused:
        save(tf.Module(), tmp_path / "file" / "model", {})
    assert refused.value.filename == str(tmp_path / "file" / "model")
