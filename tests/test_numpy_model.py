"""The model that `make mutants` serves is that of the tiny bundle."""

import numpy as np
from numpy_model import NumpySignature
from tiny_model import FIRST_TIMESTAMP, LAST_TIMESTAMP, USER_IDS, TinyModel

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import NO_HISTORY
from service.bundle.query_tower import QueryTower, TowerInput
from service.recommending.recommender import Recommender


def test_its_query_states_are_those_of_the_saved_model(recommender: Recommender, tiny: TinyModel) -> None:
    seconds = [NO_TIMESTAMP, FIRST_TIMESTAMP - 5, FIRST_TIMESTAMP + 100, LAST_TIMESTAMP + 5]
    seen = History(
        np.array([3, 200, 3], np.int32),
        np.array([5, np.nan, 2], np.float32),
        np.array([NO_TIMESTAMP, NO_TIMESTAMP, LAST_TIMESTAMP]),
    )
    inputs = [
        TowerInput(row, moment, history)
        for row in (NO_ROW, 0, len(USER_IDS) - 1)
        for moment in seconds
        for history in (NO_HISTORY, seen)
    ]
    numpy_tower = QueryTower(NumpySignature(tiny, has_ratings=True), 0)  # type: ignore[arg-type] # stands in for the SavedModel
    assert isinstance(recommender.tower, QueryTower)
    assert numpy_tower.width == recommender.tower.width
    assert numpy_tower.read(inputs).tolist() == recommender.tower.read(inputs).tolist()
