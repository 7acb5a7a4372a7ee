from typing import Any

import numpy as np
import pytest

from training.data.table import RatingsTable
from training.evaluation.analysis import popularity_deciles


def test_recommendations_are_shared_among_tenths_by_popularity() -> None:
    popularity = np.arange(20)  # so the last two movies are the first tenth
    recommended = np.zeros(20, np.int64)
    recommended[[19, 18, 16, 0]] = [3, 1, 4, 2]
    assert popularity_deciles(recommended, popularity) == [0.4, 0.4, 0, 0, 0, 0, 0, 0, 0, 0.2]


def test_parts_agree_with_the_whole(test_table: RatingsTable, measured: dict[str, Any]) -> None:
    found, model = measured["analysis"], measured["model"]
    for k in (10, 50, 100):
        if str(k) in found["hit_rate_by_k"]:
            assert found["hit_rate_by_k"][str(k)] == pytest.approx(model[f"hit_rate_at_{k}"])
    # Everyone has 19 training ratings.
    assert [name for name, of in found["by_history_length"].items() if of] == ["6-20"]
    expected = {name: model[name] for name in ("hit_rate_at_100", "ndcg_at_10", "rmse")}
    assert found["by_history_length"]["6-20"] == pytest.approx({"users": 120, **expected})
    assert sum(found["popularity_deciles"]) == pytest.approx(1)
    assert sum(one["rows"] for one in found["calibration"]) == len(test_table)
    true_sum = sum(one["rows"] * one["true"] for one in found["calibration"])
    assert true_sum == pytest.approx(float(test_table.stars.sum()), rel=1e-5)
    assert [len(one["recommended"]) for one in found["examples"]] == [10, 10, 10, 10]
