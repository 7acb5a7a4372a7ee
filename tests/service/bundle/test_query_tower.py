import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from tiny_model import DIMENSION, FIRST_TIMESTAMP, TinyModel

from service.bundle import NO_ROW, NO_TIMESTAMP, query_tower
from service.bundle.golden_requests import HistoryEntry
from service.bundle.query_encoding import NO_HISTORY, untimed_history
from service.bundle.query_tower import QueryTower, TowerInput
from service.bundle.saved_model import MODEL_DIRECTORY, save
from service.errors import BundleInconsistent
from service.recommending.recommender import Recommender

SHORT = TowerInput(NO_ROW, NO_TIMESTAMP, untimed_history([4], [np.nan]))
LONG = TowerInput(2, FIRST_TIMESTAMP + 256, untimed_history([3, 9, 4], [5.0, 1.0, 2.0]))
EMPTY = TowerInput(NO_ROW, NO_TIMESTAMP, NO_HISTORY)


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
