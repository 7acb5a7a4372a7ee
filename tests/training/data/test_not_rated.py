import numpy as np
import pytest

from training.data.not_rated import suspected


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
