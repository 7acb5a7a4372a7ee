from __future__ import annotations

import numpy as np
import pytest

from training.data.table import RatingsTable
from training.evaluation import held_out_users
from training.evaluation.recommended_lists import RecommendedLists
from training.evaluation.split_evaluation import evaluate_model
from training.model.trained_model import TrainedModel

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]


@pytest.mark.parametrize("count", [2, 1_000])
def test_shards_have_all_rows_of_whole_groups_of_users(
    test_table: RatingsTable, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    from training.distributed import ray_evaluation  # noqa: PLC0415  # imports Ray

    monkeypatch.setattr(held_out_users, "_MOST_USERS_AT_ONCE", 7)
    users = np.unique(test_table.user_rows)
    found = list(ray_evaluation.shards(test_table, count))
    of_each = [np.unique(shard.user_rows) for shard in found]
    np.testing.assert_array_equal(np.concatenate(of_each), users)
    assert sum(map(len, found)) == len(test_table)
    assert all(len(of_shard) % 7 == 0 for of_shard in of_each[:-1])
    assert len(found) == min(count, -(-len(users) // 7))


def test_measures_are_those_of_one_process(
    random_model: TrainedModel, test_table: RatingsTable, ray_address: str
) -> None:
    from training.distributed import ray_evaluation  # noqa: PLC0415 imports Ray

    many = [
        test_table.take(np.flatnonzero(np.isin(test_table.user_rows, users)))
        for users in np.array_split(np.unique(test_table.user_rows), 2)
    ]
    here = RecommendedLists(random_model.histories, test_table.movies)
    there = RecommendedLists(random_model.histories, test_table.movies)
    expected = evaluate_model(random_model, test_table, here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_evaluation, "shards", lambda *_: iter(many))
        found = ray_evaluation.RayShards(2, ray_address)(random_model, test_table, there)
    assert found.measures() == pytest.approx(expected.measures(), abs=1e-9)
    for name, of_users in expected.numerators.items():
        np.testing.assert_allclose(found.numerators[name], of_users, atol=1e-5)
    assert there.result() == pytest.approx(here.result(), abs=1e-9)
