from math import log

import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluation.user_sums import UserSums
from training.evaluation.validation_quality import VALIDATION_MEASURES, is_surely_better, quality


def test_a_tenth_more_of_one_measure_outweighs_a_tenth_less_of_another() -> None:
    before = quality({"hit_rate_at_100": 0.5, "ndcg_at_10": 0.2, "rmse": 1.0})
    assert before == pytest.approx(log(0.5) + log(0.2))
    after = quality({"hit_rate_at_100": 0.55, "ndcg_at_10": 0.2, "rmse": 1.1})
    assert after == pytest.approx(before)


def test_only_the_measures_that_are_named_and_known_count() -> None:
    figures = {"hit_rate_at_100": 0.5, "ndcg_at_10": 0.25, "rmse": 2.0}
    assert quality(figures, ["rmse"]) == pytest.approx(-log(2))
    assert quality({"ndcg_at_10": 0.25}, VALIDATION_MEASURES) == pytest.approx(log(0.25))


def test_without_a_hit_it_is_still_a_number() -> None:
    assert quality({"hit_rate_at_100": 0.0}) == pytest.approx(log(1e-6))


def sums_of(hits: NDArray[np.float64], gains: NDArray[np.float64]) -> UserSums:
    """Hits of three rows a user, and NDCG."""
    rows, ones = np.full(len(hits), 3.0), np.ones(len(hits))
    return UserSums(
        {"hit_rate_at_100": hits, "ndcg_at_10": gains}, {"hit_rate_at_100": rows, "ndcg_at_10": ones}
    )


@pytest.mark.parametrize(("more", "is_better"), [(0.05, True), (0.0, False), (-0.05, False)])
def test_what_nearly_all_users_gain_is_surely_better(more: float, is_better: bool) -> None:
    random = np.random.default_rng(0)
    hits, gains = random.random((2, 300))
    shifts = more + random.normal(0, 0.01, 300)
    assert is_surely_better(sums_of(hits + shifts, gains + shifts), sums_of(hits, gains)) is is_better


def test_what_one_user_gains_is_not_surely_better() -> None:
    hits, gains = np.random.default_rng(0).random((2, 300)) / 10
    of_one = hits + np.eye(300)[7] * 3, gains + np.eye(300)[7]
    assert not is_surely_better(sums_of(*of_one), sums_of(hits, gains))


@pytest.mark.parametrize(("factor", "is_better"), [(1.7, False), (2.3, True)])
def test_two_standard_errors_are_those_of_a_paired_bootstrap(factor: float, is_better: bool) -> None:
    random = np.random.default_rng(1)
    hits, gains = random.random((2, 400))
    other, noise = sums_of(hits, gains), random.normal(0, 0.3, (2, 400))

    def gain(parts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of resampled users, `[4, resamples, users]`: the sum of logs of ratios of means."""
        means = parts.mean(axis=-1)
        summed: NDArray[np.float64] = np.log(means[0] / means[1]) + np.log(means[2] / means[3])
        return summed

    noise -= noise.mean(axis=1, keepdims=True)
    drawn = random.integers(400, size=(4_000, 400))
    error = gain(np.stack([hits + noise[0], hits, gains + noise[1], gains])[:, drawn]).std()
    # Raised alike, both logs rise by half of so many standard errors.
    raised = np.exp(factor * error / 2)
    one = sums_of((hits + noise[0]) * raised, (gains + noise[1]) * raised)
    assert is_surely_better(one, other) is is_better
