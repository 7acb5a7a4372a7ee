import numpy as np
import pytest

from training.data.not_rated import suspected, understood
from training.data.raw_ratings import RawRatings
from training.data.reading_options import ReadingOptions


def warnings(*stars: float) -> list[str]:
    n = len(stars)
    codes = np.zeros(n, np.int32)
    ratings = RawRatings(
        *(codes, ["u"], codes, ["i"], np.array(stars, np.float32), None, None, np.arange(n)),
    )
    return understood(ratings, ReadingOptions())[1]


def test_a_rating_far_from_all_others_is_warned_of() -> None:
    usual = [1.0, 2, 3, 4, 5] * 60
    (warning,) = warnings(*usual, 55)
    assert warning.startswith("1 of the ratings (55) are far from the others, which are 1 to 5")
    assert warnings(*usual, 6) == []
    assert warnings(*np.linspace(-10, 10, 300)) == []


def test_votes_are_no_counts_though_most_are_0() -> None:
    assert warnings(*[0.0] * 30, *[1.0] * 20) == []
    (warning,) = warnings(*[1.0] * 90, *range(1, 300, 10))
    assert "skewed as counts are" in warning


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({-1: 5, 8: 1, 9: 1}, -1),
        ({-1: 1, 0: 9, 5: 9}, -1),
        ({0: 60} | dict.fromkeys(range(1, 11), 4), 0),  # a spike
        ({0: 1} | dict.fromkeys(range(5, 11), 4), 0),  # apart
        ({0: 3, 1: 4, 2: 9, 3: 9, 4: 9, 5: 9}, None),
        ({0: 3, 0.5: 2, 1: 5, 1.5: 5, 2: 5}, None),
        (dict.fromkeys(range(1, 6), 3), None),
        ({1: 3, 5: 3}, None),
        ({-1: 3, 1: 3}, None),  # votes
        ({-1: 3, 0: 3, 1: 3}, None),
        (dict.fromkeys(np.linspace(-10, 10, 50), 1), None),
        (dict.fromkeys(np.linspace(-10, 10, 50), 1) | {99: 30}, 99),
        ({0: 9, 1: 3}, None),
        ({3: 4}, None),
    ],
)
def test_numbers_that_seem_to_be_no_rating(counts: dict[float, int], expected: float | None) -> None:
    stars = np.repeat(np.array(list(counts), np.float32), list(counts.values()))
    assert suspected(stars) == expected
