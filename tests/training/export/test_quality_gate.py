from typing import Any

import pytest

from training.errors import ConfigurationError
from training.export.quality_gate import QualityGate


def measured(hit_rate: float, rmse: float | None = 1.0, split: str = "global") -> dict[str, Any]:
    model = {"hit_rate_at_100": hit_rate} | ({} if rmse is None else {"rmse": rmse})
    return {"split": split, "model": model}


def test_without_conditions_everything_goes_live() -> None:
    assert QualityGate().refusal(None, None) is None
    assert QualityGate().refusal(measured(0.0), measured(1.0)) is None


@pytest.mark.parametrize(
    ("hit_rate", "rmse", "refused"),
    [
        (0.3, 0.95, None),
        (0.29, 0.9, "hit_rate_at_100 is 0.2900, and must be at least 0.3"),
        (0.31, 0.96, "rmse is 0.9600, and must be at most 0.95"),
    ],
)
def test_measures_have_bounds_and_an_error_has_an_upper_one(
    hit_rate: float, rmse: float, refused: str | None
) -> None:
    gate = QualityGate.parse("hit_rate_at_100=0.3, rmse=0.95", None)
    assert gate.refusal(measured(hit_rate, rmse), None) == refused


def test_what_was_not_measured_does_not_pass_a_bound() -> None:
    gate = QualityGate.parse("rmse=0.95", None)
    for metrics in (None, measured(0.3, None)):
        assert gate.refusal(metrics, None) == "rmse was not measured, and must be known to be at most 0.95"


@pytest.mark.parametrize(
    ("hit_rate", "rmse", "passes"),
    [(0.40, 1.0, True), (0.381, 1.049, True), (0.379, 1.0, False), (0.4, 1.051, False)],
)
def test_no_measure_may_be_worse_than_the_live_one_by_more_than_the_margin(
    hit_rate: float, rmse: float, passes: bool
) -> None:
    """The live bundle has 0.4 and 1.0: with a margin of 5 % the bounds are 0.38 and 1.05."""
    refusal = QualityGate(margin=0.05).refusal(measured(hit_rate, rmse), measured(0.4, 1.0))
    assert (refusal is None) is passes
    assert passes or "more than 5% worse than the live bundle's" in str(refusal)


def test_measures_by_another_split_are_not_compared() -> None:
    gate = QualityGate(margin=0.05)
    assert gate.refusal(measured(0.1), measured(0.4, split="random")) is None
    assert gate.refusal(measured(0.1), None) is None
    assert gate.refusal(None, measured(0.4)) is None


@pytest.mark.parametrize(
    ("at_least", "margin", "reason"),
    [
        ("hits=0.3", None, "expected measures of hit_rate_at_100, ndcg_at_10, rmse, got 'hits'"),
        ("rmse=low", None, "expected a number after rmse=, got 'low'"),
        ("rmse", None, "expected a number after rmse=, got ''"),
        ("", 1.0, "a share from 0 to below 1"),
        ("", -0.1, "a share from 0 to below 1"),
        ("", float("nan"), "a share from 0 to below 1"),
    ],
)
def test_conditions_that_cannot_be_read_are_named(at_least: str, margin: float | None, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        QualityGate.parse(at_least, margin)
