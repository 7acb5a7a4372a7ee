from typing import Any

from training.evaluation.seeds import mean_of_runs


def test_the_mean_of_runs_is_taken_measure_by_measure() -> None:
    figures = {5: (1.0, 0.25), 6: (2.0, 0.75), 7: (3.0, 0.5)}
    runs: list[dict[str, Any]] = [
        {"seed": seed, "fit_seconds": 1.0, "model": {"rmse": rmse, "ndcg_at_10": ndcg}, "losses": [seed]}
        for seed, (rmse, ndcg) in figures.items()
    ]
    found = mean_of_runs(runs)
    assert found["model"] == {"rmse": 2.0, "ndcg_at_10": 0.5}
    assert found["spread"] == {"rmse": 1.0, "ndcg_at_10": 0.25}
    assert (found["seeds"], found["losses"]) == ([5, 6, 7], [5])
    assert found["runs"][2] == {"seed": 7, "fit_seconds": 1.0, "model": runs[2]["model"]}
    assert mean_of_runs(runs[:1])["spread"] is None
