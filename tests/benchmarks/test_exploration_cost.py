from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from synthetic_ratings import table_of

from benchmarks.exploration import measure
from service.recommending.queries import RecommendQuery
from service.recommending.recommender import Recommender


def test_hits_and_cold_places_are_counted_over_all_users() -> None:
    """Movie 3 is cold; user b watched it, and both get a list of three."""
    lists = {"a": [0, 1, 2], "b": [2, 3, 4]}
    asked: list[float | None] = []

    def recommend(query: RecommendQuery) -> Any:
        asked.append(query.explore)
        return SimpleNamespace(rows=np.array(lists[query.user_id or ""], np.int32))

    recommender = SimpleNamespace(catalogue=SimpleNamespace(num_ratings=[9, 9, 5, 4, 9]), recommend=recommend)
    test = table_of([("a", "0", 3, 1), ("a", "4", 3, 2), ("b", "3", 3, 1)], ["0", "1", "2", "3", "4"])
    outcome = measure(cast("Recommender", recommender), test, 0.25)
    assert asked == [0.25, 0.25]
    assert outcome.hit_rate == pytest.approx(2 / 3)
    assert (outcome.cold_share, outcome.cold_movies, outcome.cold_hit_rate) == (1 / 6, 1, 1)
