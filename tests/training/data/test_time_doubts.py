import numpy as np

from training.data.time_doubts import doubts
from training.data.times import Times


def said(*seconds: int) -> list[str]:
    return doubts(
        "when", Times(np.array(seconds, np.int64), np.zeros(len(seconds), np.bool_), "Unix seconds")
    )


def test_real_times_are_not_doubted() -> None:
    assert said(1_600_000_000, 1_500_000_000) == []
    assert said(0, 0) == []


def test_times_that_seem_to_be_unknown_are_warned_of() -> None:
    (warning,) = said(1_600_000_000, 0, 1_500_000_000, -1, 0)
    assert warning.startswith("when: 3 times are before 1974 (-1, 0)")


def test_numbers_that_are_no_unix_seconds_are_warned_of() -> None:
    (warning,) = said(*range(1990, 2015))
    assert "all times are before 1974, read as Unix seconds" in warning


def test_times_to_come_are_warned_of() -> None:
    (warning,) = said(1_600_000_000, 32_503_680_000)
    assert "1 times are in the future" in warning
