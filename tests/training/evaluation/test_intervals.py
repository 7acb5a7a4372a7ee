import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation import intervals as module
from training.evaluation.intervals import LEAST_USERS, differences, ratio
from training.evaluation.user_sums import UserSums


def ndcg_of(values: NDArray[np.float64]) -> UserSums:
    return UserSums({"ndcg_at_10": values}, {"ndcg_at_10": np.ones(len(values))})


def test_an_interval_of_a_mean_is_what_the_normal_law_says() -> None:
    random = np.random.default_rng(0)
    model, baseline = random.normal(0.5, 0.2, 400), random.normal(0.4, 0.1, 400)
    found = differences(ndcg_of(model), {"ease": ndcg_of(baseline)})["ease"]["ndcg_at_10"]
    apart = model - baseline
    error = apart.std(ddof=1) / np.sqrt(len(apart))
    assert found["difference"] == pytest.approx(apart.mean())
    assert found["low"] == pytest.approx(apart.mean() - 1.96 * error, abs=0.15 * error)
    assert found["high"] == pytest.approx(apart.mean() + 1.96 * error, abs=0.15 * error)


def test_users_are_paired() -> None:
    """A model that is better for every user by the same is surely so, however much users differ."""
    baseline = np.random.default_rng(0).random(50)
    found = differences(ndcg_of(baseline + 0.01), {"ease": ndcg_of(baseline)})["ease"]["ndcg_at_10"]
    assert [found[name] for name in ("difference", "low", "high")] == pytest.approx([0.01] * 3)


def test_shares_are_of_rows_and_errors_are_roots_in_every_resample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against resamples drawn one by one, from the same random numbers."""
    random = np.random.default_rng(1)
    rows = random.integers(1, 9, 30).astype(float)

    def sums(hits: float, error: float) -> UserSums:
        numerators = {
            "hit_rate_at_10": random.binomial(rows.astype(int), hits).astype(float),
            "rmse": rows * random.normal(error, 0.1, 30) ** 2,
        }
        return UserSums(numerators, {"hit_rate_at_10": rows, "rmse": rows})

    model, baseline = sums(0.5, 0.9), sums(0.4, 1.0)
    monkeypatch.setattr(module, "_DRAWN_AT_ONCE", 100)  # a few resamples at a time
    found = differences(model, {"svd": baseline})["svd"]
    drawn = np.random.default_rng(0).integers(30, size=(1_000, 30))
    for name, measure in (("hit_rate_at_10", lambda ratio: ratio), ("rmse", np.sqrt)):
        resampled = [
            measure(model.numerators[name][users].sum() / rows[users].sum())
            - measure(baseline.numerators[name][users].sum() / rows[users].sum())
            for users in drawn
        ]
        low, high = np.percentile(resampled, [2.5, 97.5])
        assert [found[name]["low"], found[name]["high"]] == pytest.approx([low, high])


def test_few_users_have_a_difference_but_no_interval() -> None:
    few = differences(ndcg_of(np.full(9, 0.5)), {"ease": ndcg_of(np.full(9, 0.25))})
    assert few == {"ease": {"ndcg_at_10": {"difference": 0.25, "low": None, "high": None}}}
    values = np.linspace(0, 1, LEAST_USERS)
    assert differences(ndcg_of(values), {"ease": ndcg_of(values)})["ease"]["ndcg_at_10"]["low"] == 0


def test_only_measures_that_both_have_are_compared() -> None:
    rmse = UserSums({"rmse": np.ones(20)}, {"rmse": np.ones(20)})
    unrated = UserSums({"rmse": np.zeros(20)}, {"rmse": np.zeros(20)})
    ndcg = ndcg_of(np.ones(20))
    assert differences(ndcg, {"svd": rmse, "ease": ndcg}).keys() == {"svd", "ease"}
    assert differences(ndcg, {"svd": rmse})["svd"] == {}
    assert differences(ndcg | unrated, {"svd": unrated})["svd"] == {}


def test_a_ratio_is_of_whole_measures_and_users_are_paired() -> None:
    rows = np.arange(1.0, 41.0)
    hits = np.random.default_rng(2).binomial(rows.astype(int), 0.3).astype(float)

    def sums(of: NDArray[np.float64]) -> UserSums:
        return UserSums({"hit_rate_at_10": of}, {"hit_rate_at_10": rows})

    twice = ratio(sums(2 * hits), sums(hits), "hit_rate_at_10")
    assert [twice[name] for name in ("ratio", "low", "high")] == pytest.approx([2, 2, 2])
    other = np.random.default_rng(3).binomial(rows.astype(int), 0.3).astype(float)
    found = ratio(sums(other), sums(hits), "hit_rate_at_10")
    assert found["ratio"] == pytest.approx(other.sum() / hits.sum())
    drawn = np.random.default_rng(0).integers(40, size=(1_000, 40))
    resampled = [other[users].sum() / hits[users].sum() for users in drawn]
    assert [found["low"], found["high"]] == pytest.approx(np.percentile(resampled, [2.5, 97.5]))
    few = UserSums({"hit_rate_at_10": np.ones(9)}, {"hit_rate_at_10": np.ones(9)})
    assert ratio(few, few, "hit_rate_at_10") == {"ratio": 1, "low": None, "high": None}
