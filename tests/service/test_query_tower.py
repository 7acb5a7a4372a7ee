import shutil
from pathlib import Path

import numpy as np
import pytest
from tiny_model import FIRST_TIMESTAMP, TinyModel

from service.bundle import MODEL_DIRECTORY, NO_ROW, NO_TIMESTAMP, HistoryEntry
from service.errors import BundleInconsistent
from service.histories import History
from service.query_tower import QueryTower, TowerInput, pad_inputs
from service.recommender import Recommender
from service.settings import Settings


def history(*entries: tuple[int, float]) -> History:
    rows, ratings = zip(*entries, strict=True) if entries else ((), ())
    return History(
        np.array(rows, np.int32), np.array(ratings, np.float32), np.full(len(entries), NO_TIMESTAMP, np.int64)
    )


SHORT = TowerInput(NO_ROW, NO_TIMESTAMP, history((4, np.nan)))
LONG = TowerInput(2, FIRST_TIMESTAMP + 256, history((3, 5.0), (9, 1.0), (4, 2.0)))
EMPTY = TowerInput(NO_ROW, NO_TIMESTAMP, history())


def test_histories_are_padded_at_the_end() -> None:
    columns = pad_inputs([SHORT, LONG])
    assert columns["user_rows"].tolist() == [NO_ROW, 2]
    assert columns["timestamps"].tolist() == [NO_TIMESTAMP, FIRST_TIMESTAMP + 256]
    assert columns["history_rows"].tolist() == [[4, NO_ROW, NO_ROW], [3, 9, 4]]
    np.testing.assert_array_equal(columns["history_ratings"], [[np.nan] * 3, [5, 1, 2]])
    assert columns["history_timestamps"].tolist() == [[NO_TIMESTAMP] * 3] * 2
    types = {name: column.dtype.name for name, column in columns.items()}
    assert types == {
        "user_rows": "int32",
        "timestamps": "int64",
        "history_rows": "int32",
        "history_ratings": "float32",
        "history_timestamps": "int64",
    }


def test_a_person_without_history_still_has_a_place_for_one() -> None:
    assert pad_inputs([EMPTY])["history_rows"].tolist() == [[NO_ROW]]


def test_a_batch_is_answered_as_one_by_one_and_as_by_hand(recommender: Recommender, tiny: TinyModel) -> None:
    together = recommender.tower.embed([SHORT, LONG, EMPTY])
    alone = [recommender.tower.embed([each])[0] for each in (SHORT, LONG, EMPTY)]
    np.testing.assert_array_equal(together, alone)
    entries: list[HistoryEntry] = [
        {"movie_id": "m3", "rating": 5.0},
        {"movie_id": "m9", "rating": 1.0},
        {"movie_id": "m4", "rating": 2.0},
    ]
    stranger = tiny.embed(None, tiny.seen(None, [{"movie_id": "m4", "rating": None}]), None)
    np.testing.assert_array_equal(together[0], stranger)
    # User row 2 is "7", here without what the bundle knows of their history.
    known = tiny.embed("7", tiny.seen(None, entries), FIRST_TIMESTAMP + 256)
    np.testing.assert_array_equal(together[1], known)


def test_ratings_come_by_person_and_candidate(recommender: Recommender, tiny: TinyModel) -> None:
    ratings = recommender.tower.predict_ratings([SHORT, EMPTY], np.array([[0, 50], [7, 7]], np.int32))
    seen: list[HistoryEntry] = [{"movie_id": "m4", "rating": None}]
    expected = [[tiny.stars(0, None, seen), tiny.stars(50, None, seen)], [tiny.stars(7)] * 2]
    np.testing.assert_allclose(ratings, expected, atol=1e-6)


def test_a_directory_without_a_model_is_inconsistent(artifacts: Path) -> None:
    shutil.rmtree(artifacts / "tiny-1" / MODEL_DIRECTORY)
    with pytest.raises(BundleInconsistent, match="model: TensorFlow cannot load it"):
        QueryTower(artifacts / "tiny-1", Settings())


def test_a_spoilt_model_is_inconsistent(artifacts: Path) -> None:
    (artifacts / "tiny-1" / MODEL_DIRECTORY / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(BundleInconsistent, match="model: TensorFlow cannot load it"):
        QueryTower(artifacts / "tiny-1", Settings())
