import numpy as np
import pytest
from synthetic_ratings import Rating, table_of

from training.model.histories import Histories
from training.model.watch_weights import watch_weights


def histories_of(stars: dict[tuple[str, str], float]) -> Histories:
    ratings: list[Rating] = [
        (user, movie, of, at) for at, ((user, movie), of) in enumerate(sorted(stars.items()))
    ]
    return Histories.from_table(table_of(ratings))


def test_a_watch_rated_above_its_user_and_its_movie_weighs_more() -> None:
    """Worked by hand: the mean is 3, the deviation 2, so the four are 1, -1, 1 and -1 from it."""
    histories = histories_of({("u", "a"): 5.0, ("u", "b"): 1.0, ("v", "a"): 5.0, ("v", "b"): 1.0})
    # Users: (1 - 1) / 5 = 0. Movies: a 2 / 7, b -2 / 7. Left: 1 - 2 / 7 and its opposite.
    left = 1 - 2 / 7
    expected = 1 + 0.5 * np.array([left, -left, left, -left])
    np.testing.assert_allclose(watch_weights(histories, 0.5), expected, rtol=1e-6)


def test_what_a_user_rates_high_throughout_says_less() -> None:
    """Mean 3, deviation 2; u: 2 / (2 + 3) above it, v as much below, movies then equal."""
    histories = histories_of({("u", "a"): 5.0, ("u", "b"): 5.0, ("v", "a"): 1.0, ("v", "b"): 1.0})
    np.testing.assert_allclose(watch_weights(histories, 1.0), [1.6, 1.6, 0.4, 0.4], rtol=1e-6)


def test_no_watch_weighs_less_than_a_tenth() -> None:
    histories = histories_of({("u", f"{movie}"): 5.0 for movie in range(9)} | {("u", "9"): 1.0})
    assert watch_weights(histories, 1.0).min() == pytest.approx(0.1)


@pytest.mark.parametrize("stars", [3.0, float("nan")])
def test_ratings_that_are_equal_or_missing_weigh_the_same(stars: float) -> None:
    histories = histories_of({("u", "a"): stars, ("u", "b"): stars, ("v", "a"): stars})
    np.testing.assert_array_equal(watch_weights(histories, 1.0), np.ones(3))


def test_a_watch_without_a_rating_counts_once_beside_rated_ones() -> None:
    histories = histories_of({("u", "a"): float("nan"), ("u", "b"): 5.0, ("v", "b"): 1.0})
    assert watch_weights(histories, 1.0)[0] == 1
    assert watch_weights(histories, 1.0)[1] > 1 > watch_weights(histories, 1.0)[2]


def test_without_emphasis_a_watch_is_a_watch() -> None:
    histories = histories_of({("u", "a"): 5.0, ("u", "b"): 1.0})
    np.testing.assert_array_equal(watch_weights(histories, 0.0), np.ones(2))
