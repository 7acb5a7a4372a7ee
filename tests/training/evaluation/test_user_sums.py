import math

import numpy as np
import pytest

from training.evaluation.metrics import Ranks
from training.evaluation.user_sums import UserSums, joined, retrieval_sums


def ranks_of(*values: int) -> Ranks:
    return Ranks(np.array(values, np.int64), np.ones(len(values), np.int64))


def test_seen_movies_are_left_out_of_all_measures_but_accuracy() -> None:
    """Of two users; shares are of rows, NDCG and recall are means over users."""
    found = retrieval_sums(ranks_of(9, 19, 49), ranks_of(99, 100, 100), np.array([2, 1]))
    assert found.measures() == pytest.approx(
        {
            "hit_rate_at_10": 1 / 3,
            "hit_rate_at_50": 1,
            "hit_rate_at_100": 1,
            "ndcg_at_10": (1 / math.log2(11)) / (1 + 1 / math.log2(3)) / 2,
            "recall_at_20": (1 + 0) / 2,
            "top_100_accuracy": 1 / 3,
        }
    )
    assert found.numerators["hit_rate_at_10"].tolist() == [1, 0]
    assert found.denominators["hit_rate_at_10"].tolist() == [2, 1]


def test_groups_of_users_add_up_to_all_of_them() -> None:
    whole = retrieval_sums(ranks_of(9, 19, 49), ranks_of(99, 100, 100), np.array([2, 1]))
    parts = [
        retrieval_sums(ranks_of(9, 19), ranks_of(99, 100), np.array([2])),
        retrieval_sums(ranks_of(49), ranks_of(100), np.array([1])),
    ]
    assert joined(parts).measures() == pytest.approx(whole.measures())


def test_an_error_is_the_root_of_its_ratio_and_absent_without_a_rated_row() -> None:
    def sums(squares: list[float], rows: list[float]) -> UserSums:
        return UserSums({"rmse": np.array(squares)}, {"rmse": np.array(rows)})

    assert sums([5.0, 3.0], [1, 1]).measures() == {"rmse": 2.0}
    assert sums([0.0, 0.0], [0, 0]).measures() == {}
