import dataclasses

import numpy as np
import pytest
from synthetic_ratings import Rating, table_of

from training.model.rating_biases import fit_biases

RATINGS: list[Rating] = [
    ("1", "1", 5.0, 0),
    ("1", "2", 3.0, 1),
    ("2", "2", 4.0, 0),
    ("3", "2", 1.0, 0),
    ("3", "1", 2.0, 0),
]
TABLE = table_of(RATINGS, ["1", "2", "3"])


def test_biases_are_what_the_normal_equations_give() -> None:
    """Users' biases are shrunk as by 15 ratings at the mean, movies' as by 10."""
    mean = np.mean([stars for _, _, stars, _ in RATINGS])
    design = np.zeros((5, 6))
    for at, (user, movie, _, _) in enumerate(RATINGS):
        design[at, [int(user) - 1, 3 + int(movie) - 1]] = 1
    centred = np.array([stars for _, _, stars, _ in RATINGS]) - mean
    solution = np.linalg.solve(design.T @ design + np.diag([15.0] * 3 + [10.0] * 3), design.T @ centred)
    found = fit_biases(TABLE)
    assert found.mean == pytest.approx(mean)
    np.testing.assert_allclose(found.users, solution[:3], atol=1e-6)
    np.testing.assert_allclose(found.movies, solution[3:], atol=1e-6)


def test_a_movie_without_ratings_has_no_bias() -> None:
    assert fit_biases(TABLE).movies[2] == 0


def test_rows_that_are_not_rated_are_left_out() -> None:
    watched: list[Rating] = [("4", "2", float("nan"), 5), ("2", "3", float("nan"), 6)]
    expected, found = fit_biases(TABLE), fit_biases(table_of([*RATINGS, *watched], ["1", "2", "3"]))
    assert found.mean == expected.mean
    np.testing.assert_array_equal(found.movies, expected.movies)
    np.testing.assert_array_equal(found.users, [*expected.users, 0])


def test_without_any_rating_all_is_zero() -> None:
    watched = dataclasses.replace(TABLE, stars=np.full(len(TABLE), np.nan, np.float32))
    mean, users, movies = fit_biases(watched)
    assert (mean, users.tolist(), movies.tolist()) == (0, [0] * 3, [0] * 3)
