import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of, two_clusters

from service.bundle import NO_ROW
from training.evaluation.baselines.biases import Biases
from training.evaluation.baselines.ease import Ease
from training.evaluation.baselines.popularity import Popularity, RecentPopularity
from training.model.histories import Histories
from training.model.rating_biases import fit_biases

RATINGS: list[Rating] = [
    ("1", "1", 5.0, 0),
    ("1", "2", 3.0, 1),
    ("2", "2", 4.0, 0),
    ("3", "2", 1.0, 0),
    ("3", "1", 2.0, 0),
]
MOVIES = ["1", "2", "3"]


def seen_by(histories: Histories, num_candidates: int) -> NDArray[np.float64]:
    matrix = np.zeros((len(histories), num_candidates))
    for user in range(len(histories)):
        for row in histories.movie_rows[histories.offsets[user] : histories.offsets[user + 1]]:
            matrix[user, row] = 1
    return matrix


def test_popularity_scores_by_the_number_of_ratings_for_every_user() -> None:
    popularity = Popularity(Histories.from_table(table_of(RATINGS, MOVIES)))
    assert popularity.score(np.array([0, NO_ROW], np.int32)).tolist() == [[2, 3, 0], [2, 3, 0]]


def test_recent_popularity_scores_by_the_last_days_and_equals_by_all_of_them() -> None:
    day = 86_400
    table = table_of(
        [
            *[
                ("1", "old", 3.0, 0),
                ("2", "old", 3.0, day),
                ("3", "old", 3.0, day + 1),
                ("1", "older", 3.0, 2),
            ],
            *[("1", "new", 3.0, 7 * day + 1), ("4", "newer", 3.0, 3 * day), ("5", "newer", 3.0, 8 * day)],
        ],
        ["never", "new", "newer", "old", "older"],
    )
    names = np.array(table.movies.movie_ids)
    # From 1 day after the beginning, not included: old once, new once, newer twice.
    scores = RecentPopularity(table, 7).score(np.array([0, NO_ROW], np.int32))
    assert scores.dtype == np.float32
    assert (scores[0] == scores[1]).all()
    assert names[np.argsort(-scores[0])].tolist() == ["newer", "old", "new", "older", "never"]
    everything = RecentPopularity(table, 30).score(np.array([0], np.int32))[0]
    assert names[np.argsort(-everything)].tolist()[:2] == ["old", "newer"]
    assert everything[names == "new"] == everything[names == "older"]


def test_ease_is_the_regression_of_each_movie_on_the_others() -> None:
    """Its definition: ridge regression without the movie itself, here solved a movie at a time."""
    table = two_clusters(per_user=8)
    histories = Histories.from_table(table)
    seen, regularization = seen_by(histories, table.num_movies), 20.0
    weights = np.zeros((table.num_movies, table.num_movies))
    for movie in range(table.num_movies):
        others = np.delete(np.arange(table.num_movies), movie)
        gram = seen[:, others].T @ seen[:, others] + regularization * np.eye(len(others))
        weights[others, movie] = np.linalg.solve(gram, seen[:, others].T @ seen[:, movie])
    users = np.array([5, NO_ROW, 0], np.int32)
    scores = Ease(histories, regularization).score(users)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores[[0, 2]], (seen @ weights)[[5, 0]], atol=1e-5)
    assert not scores[1].any()


def test_biases_are_the_least_squares_fit_with_their_regularisation() -> None:
    """Ten alternating rounds come close to the solution that the normal equations give at once."""
    table = table_of(RATINGS, MOVIES)
    mean = np.mean([stars for _, _, stars, _ in RATINGS])
    design = np.zeros((len(RATINGS), 6))
    for at, (user, movie, _, _) in enumerate(RATINGS):
        design[at, [int(user) - 1, 3 + int(movie) - 1]] = 1
    gram = design.T @ design + np.diag([15.0] * 3 + [10.0] * 3)
    solution = np.linalg.solve(gram, design.T @ (table.stars - mean))
    found = Biases(table).predict(table)
    np.testing.assert_allclose(found, mean + design @ solution, atol=1e-6)


def test_movies_and_users_without_ratings_get_the_mean() -> None:
    whole = table_of([*RATINGS, ("9", "3", 1.0, 0)], MOVIES)
    train, test = whole.take(np.arange(5)), whole.take(np.array([5]))
    assert Biases(train).predict(test).tolist() == [pytest.approx(3.0)]


def test_predicted_ratings_stay_on_the_scale() -> None:
    """A movie that everybody loves, and a user who loves what the others hate."""
    hated = [str(movie) for movie in range(40)]
    ratings: list[Rating] = [(f"user-{at}", "loved", 5.0, 0) for at in range(60)]
    ratings += [(f"user-{at}", movie, 1.0, 0) for at in range(60) for movie in hated]
    train = table_of([*ratings, *(("fond", movie, 5.0, 0) for movie in hated), ("fond", "loved", 5.0, 0)])
    biases = fit_biases(train)
    fond, loved = train.user_ids.index("fond"), train.movies.movie_ids.index("loved")
    assert biases.mean + biases.users[fond] + biases.movies[loved] > 5
    predicted = Biases(train).predict(train)
    assert predicted.max() == 5
    assert predicted.min() >= 1
