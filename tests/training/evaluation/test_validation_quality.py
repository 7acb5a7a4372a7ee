from math import log

import pytest

from training.evaluation.validation_quality import VALIDATION_MEASURES, quality


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
