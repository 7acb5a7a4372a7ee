from typing import Any

import numpy as np
import pytest

from training.evaluation.baseline_evaluation import Baseline
from training.evaluation.seeds import mean_of_runs
from training.evaluation.split_evaluation import Evaluation
from training.evaluation.user_sums import UserSums


def sums(*values: float) -> UserSums:
    """NDCG of users."""
    return UserSums({"ndcg_at_10": np.array(values)}, {"ndcg_at_10": np.ones(len(values))})


def run(seed: int, measures: dict[str, float], *of_users: float) -> Evaluation:
    document: dict[str, Any] = {
        "seed": seed,
        "fit_seconds": float(seed),
        "split": "random",
        "model": measures,
    }
    return Evaluation(document, sums(*of_users))


def test_the_mean_of_runs_is_taken_measure_by_measure() -> None:
    runs = [run(1, {"ndcg_at_10": 0.2, "rmse": 0.9}, 0.2), run(2, {"ndcg_at_10": 0.4, "rmse": 1.0}, 0.4)]
    found = mean_of_runs(runs, {"ease": None})
    assert found["model"] == pytest.approx({"ndcg_at_10": 0.3, "rmse": 0.95})
    assert found["spread"] == pytest.approx({"ndcg_at_10": 0.2 / 2**0.5, "rmse": 0.1 / 2**0.5})
    assert (found["seeds"], found["split"], found["baselines"]) == ([1, 2], "random", {"ease": None})
    assert found["runs"][1] == {"seed": 2, "fit_seconds": 2.0, "model": {"ndcg_at_10": 0.4, "rmse": 1.0}}
    assert mean_of_runs(runs[:1], {})["spread"] is None


def test_differences_are_of_the_mean_over_seeds_of_each_user() -> None:
    """Seeds that differ for every user, and agree in their mean with the baseline, do not differ from it."""
    runs = [
        run(seed, {"ndcg_at_10": 0.5}, *np.linspace(0, 1, 20)[:: 1 if seed else -1].tolist())
        for seed in (0, 1)
    ]
    found = mean_of_runs(runs, {"ease": Baseline(sums(*[0.5] * 20), {"gini": 0.5}), "biases": None})
    assert found["baselines"] == {"ease": {"ndcg_at_10": 0.5}, "biases": None}
    assert found["baseline_lists"] == {"ease": {"gini": 0.5}}
    assert found["differences"] == {
        "ease": {"ndcg_at_10": pytest.approx({"difference": 0, "low": 0, "high": 0})}
    }


def test_users_with_a_history_are_compared_by_themselves_where_others_have_none() -> None:
    model, ease = sums(*[0.5] * 20, *[0.25] * 10), sums(*[0.25] * 30)
    evaluation = Evaluation({"seed": 1, "fit_seconds": 1.0, "model": {}}, model)
    has_history = np.arange(30) < 20
    found = mean_of_runs([evaluation], {"ease": Baseline(ease)}, has_history)["known_users"]
    assert found == {
        "users": 20,
        "model": {"ndcg_at_10": 0.5},
        "baselines": {"ease": {"ndcg_at_10": 0.25}},
        "differences": {"ease": {"ndcg_at_10": {"difference": 0.25, "low": 0.25, "high": 0.25}}},
    }
    for all_alike in (None, np.ones(30, bool), np.zeros(30, bool)):
        assert "known_users" not in mean_of_runs([evaluation], {}, all_alike)
