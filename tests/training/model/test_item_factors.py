import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of

from training.model.histories import Histories
from training.model.item_factors import REGULARIZATION, WatchedSpectrum


def watched_at_random(users: int, movies: int, *, seed: int = 0) -> NDArray[np.bool_]:
    """Who watched what, `[users, movies]`; everybody watches something."""
    watched = np.random.default_rng(seed).random((users, movies)) < 0.4
    watched[:, 0] |= ~watched.any(axis=1)
    return watched


def histories_of(watched: NDArray[np.bool_]) -> Histories:
    ratings: list[Rating] = [
        (f"{user:03}", f"{movie:03}", 3.0, 0) for user, movie in np.argwhere(watched).tolist()
    ]
    return Histories.from_table(table_of(ratings, [f"{movie:03}" for movie in range(watched.shape[1])]))


def item_factors(
    histories: Histories, columns: int, regularization: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return WatchedSpectrum.of(histories, columns).factors(regularization)


def ease(watched: NDArray[np.float64], regularization: float) -> NDArray[np.float64]:
    """EASE's weights as Steck 2019 gives them: by inverting the regularised Gram matrix."""
    inverse = np.linalg.inv(watched.T @ watched + regularization * np.eye(watched.shape[1]))
    weights: NDArray[np.float64] = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize("regularization", [5.0, 300.0])
def test_their_products_are_the_weights_of_ease_off_the_diagonal(regularization: float) -> None:
    watched = watched_at_random(13, 9)
    watched[:, 8] = watched[:, 7]  # the ninth singular value, which cannot be computed, is zero
    read, predicted = item_factors(histories_of(watched), 20, regularization / REGULARIZATION)
    found = (read.astype(np.float64) @ predicted.T)[~np.eye(9, dtype=bool)]
    expected = ease(watched.astype(np.float64), regularization)[~np.eye(9, dtype=bool)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(expected).max() > 0.01


def test_columns_beyond_the_rank_of_the_matrix_are_zero() -> None:
    for factors in item_factors(histories_of(watched_at_random(13, 9)), 20):
        assert factors.shape == (9, 20)
        assert factors.dtype == np.float32
        assert np.abs(factors[:, :8]).sum(axis=0).min() > 0
        assert not factors[:, 8:].any()


def test_the_first_columns_matter_most_and_are_those_of_fewer_columns() -> None:
    histories = histories_of(watched_at_random(60, 30))
    read, predicted = item_factors(histories, 12)
    sizes = np.square(read).sum(axis=0)
    assert np.all(np.diff(sizes) <= 1e-5)
    fewer, _ = item_factors(histories, 5)
    np.testing.assert_allclose(read[:, :5], fewer, atol=1e-4)
    # What is predicted from a movie is read of it, only longer: its own part is divided out.
    assert np.all(np.abs(predicted) >= np.abs(read))


def test_the_same_histories_give_the_same_factors_to_the_last_bit() -> None:
    histories = histories_of(watched_at_random(60, 30))
    first, again = item_factors(histories, 12), item_factors(histories, 12)
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)


def test_the_largest_entry_of_every_column_is_positive() -> None:
    for seed in range(5):
        read, _ = item_factors(histories_of(watched_at_random(40, 20, seed=seed)), 8)
        assert (read[np.abs(read).argmax(axis=0), np.arange(8)] > 0).all()


@pytest.mark.parametrize(("users", "movies"), [(1, 7), (7, 1), (1, 1)])
def test_of_one_user_or_of_one_movie_there_is_nothing_to_factorize(users: int, movies: int) -> None:
    for factors in item_factors(histories_of(watched_at_random(users, movies)), 4):
        np.testing.assert_array_equal(factors, np.zeros((movies, 4), np.float32))


def test_unrated_movies_have_no_factors() -> None:
    ratings: list[Rating] = [
        (str(user), str(movie), 3.0, 0) for user in range(5) for movie in range(user + 1)
    ]
    read, predicted = item_factors(Histories.from_table(table_of(ratings, list("0123456"))), 4)
    np.testing.assert_allclose(read[5:], 0, atol=1e-7)
    np.testing.assert_allclose(predicted[5:], 0, atol=1e-7)
    assert np.abs(read[:5]).sum() > 0


@pytest.mark.parametrize(("history", "movie", "regularization"), [(0.5, 0.25, 1.0), (0.0, 0.35, 10.0)])
def test_normalized_factors_filter_the_graph_of_users_and_movies(
    history: float, movie: float, regularization: float
) -> None:
    """D^-b F D^b / (1 - diag F), F = N'N (N'N + r m I)^-1, N = L^-a X D^-b, m the median of s^2."""
    watched = watched_at_random(13, 9)
    watched[:, 8] = watched[:, 7]
    lengths, counts = watched.sum(axis=1), watched.sum(axis=0)
    normal = watched / lengths[:, None] ** history / counts**movie
    gram = normal.T @ normal
    median = np.median(np.sort(np.linalg.eigvalsh(gram))[1:])
    expected = gram @ np.linalg.inv(gram + regularization * median * np.eye(9))
    expected = expected / counts[:, None] ** movie * (counts**movie / (1 - np.diag(expected)))
    spectrum = WatchedSpectrum.of(
        histories_of(watched), 20, history_normalization=history, movie_normalization=movie
    )
    read, predicted = spectrum.factors(regularization)
    np.testing.assert_allclose(read @ predicted.T, expected, atol=1e-5)


def test_emphasis_weighs_watches_by_their_ratings_before_they_are_factorized() -> None:
    """Two movies are rated high by whom the third is rated low: it weighs 0.58, they 1.21."""
    ratings: list[Rating] = []
    for user in range(12):
        ratings += [(f"{user:02}", movie, 5.0, 0) for movie in "ab"] + [(f"{user:02}", "c", 1.0, 0)]
    histories = Histories.from_table(table_of(ratings))
    plain, emphasized = (
        WatchedSpectrum.of(histories, 2, history_normalization=0.5, rating_emphasis=emphasis)
        for emphasis in (0.0, 1.0)
    )
    # One history's row over sqrt(3), 12 times: 12 / 3 times the sum of squared weights. Mean 11 / 3,
    # deviation 4 / sqrt(4.5): of 0.707 and -1.414 the movies' means, of 12 and 5 zeros, are 12 / 17.
    high, low = (1 + deviation * 5 / 17 for deviation in (0.5**0.5, -(2**0.5)))
    assert plain.squares.max() == pytest.approx(12)
    assert emphasized.squares.max() == pytest.approx(4 * (2 * high**2 + low**2), rel=1e-5)


def test_movies_that_nobody_watched_have_normalized_factors_of_zero() -> None:
    watched = watched_at_random(13, 9)
    watched[:, 4] = False
    watched[:, 0] |= ~watched.any(axis=1)
    spectrum = WatchedSpectrum.of(
        histories_of(watched), 6, history_normalization=0.5, movie_normalization=0.25
    )
    for factors in spectrum.factors():
        assert np.isfinite(factors).all()
        np.testing.assert_allclose(factors[4], 0, atol=1e-6)


def test_the_leading_part_of_a_spectrum_is_that_of_fewer_columns() -> None:
    histories = histories_of(watched_at_random(60, 30))
    wide, narrow = (WatchedSpectrum.of(histories, columns, movie_normalization=0.5) for columns in (12, 5))
    for of_wide, of_narrow in zip(wide.leading(5).factors(3.0), narrow.factors(3.0), strict=True):
        np.testing.assert_allclose(of_wide, of_narrow, atol=1e-4)
