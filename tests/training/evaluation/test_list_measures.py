import math
from itertools import combinations

import numpy as np
import pytest
from synthetic_ratings import SMALL_CONFIG, table_of

from training.evaluation.recommended_lists import RecommendedLists, first_movies, gini
from training.model.histories import Histories
from training.model.trained_model import TrainedModel

NOTHING = np.empty(0, np.int32)


def test_a_list_has_the_best_unseen_movies_best_first_equals_by_row() -> None:
    scores = np.array([[1, 5, 5, 3, np.nan, 4], [1, 2, 3, 4, 5, 6]], np.float32)
    found = first_movies(scores, [np.array([5]), np.array([0, 2, 3, 4])], 3)
    assert [movies.tolist() for movies in found] == [[1, 2, 3], [5, 1]]
    assert [len(movies) for movies in first_movies(scores, [NOTHING, NOTHING])] == [5, 6]


def test_lists_agree_with_a_brute_force(trained: TrainedModel) -> None:
    users = np.arange(len(trained.histories), dtype=np.int32)
    inputs = trained.histories.query_inputs(users, SMALL_CONFIG.max_history)
    scores = trained.embed_queries(inputs) @ trained.candidate_embeddings.T
    seen = [trained.histories.history_of(user).rows for user in users.tolist()]
    for of_user, excluded, found in zip(scores, seen, first_movies(scores, seen), strict=True):
        left = [row for row in np.argsort(-of_user).tolist() if row not in set(excluded.tolist())]
        assert found.tolist() == left[:10]


def test_measures_of_lists_agree_with_a_calculation_by_hand() -> None:
    """Two users and twelve movies; user 1 gets movies 0 to 9, user 2, who saw 0 and 1, movies 2 to 11."""
    genres = [["Drama"], ["Drama", "War"], ["War"], *[["Drama"]] * 6, [], [], ["War"]]
    ids = [f"{row:02}" for row in range(12)]
    table = table_of([("1", "00", 3.0, 0), ("2", "00", 3.0, 0), ("2", "01", 3.0, 1)], ids, genres=genres)
    lists = RecommendedLists(Histories.from_table(table), table.movies)
    scores = np.arange(12, 0, -1, dtype=np.float32)
    lists.update(np.stack([scores, scores]), [NOTHING, np.array([0, 1], np.int32)])
    found = lists.result()
    assert found["coverage"] == 1
    counts = [1, 1, *[2] * 8, 1, 1]
    bits = [math.log2(3 / 3), math.log2(3 / 2), *[math.log2(3)] * 10]
    assert found["novelty"] == pytest.approx(sum(n * bit for n, bit in zip(counts, bits, strict=True)) / 20)
    assert found["gini"] == pytest.approx(gini(np.array(counts)))

    def mean_distance(rows: range) -> float:
        sets = [set(genres[row]) for row in rows if genres[row]]
        return float(np.mean([1 - len(a & b) / len(a | b) for a, b in combinations(sets, 2)]))

    expected = (mean_distance(range(10)) + mean_distance(range(2, 12))) / 2
    assert found["diversity"] == pytest.approx(expected)


def test_without_genres_there_is_no_diversity_and_without_lists_nothing() -> None:
    table = table_of([("1", "a", 3.0, 0), ("1", "b", 3.0, 1)])
    lists = RecommendedLists(Histories.from_table(table), table.movies)
    assert lists.result() == {}
    lists.update(np.array([[1, 2]], np.float32), [NOTHING])
    assert lists.result().keys() == {"coverage", "novelty", "gini"}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([3, 3, 3, 3], 0), ([0, 0, 0, 8], 0.75), ([1, 2, 3, 4], 0.25), ([4, 1, 3, 2], 0.25)],
)
def test_the_gini_index_is_zero_for_all_alike_and_near_one_for_a_single_movie(
    counts: list[int], expected: float
) -> None:
    """The mean absolute difference of all pairs over twice the mean: its other definition."""
    pairs = [abs(a - b) for a in counts for b in counts]
    assert gini(np.array(counts)) == pytest.approx(expected) == np.mean(pairs) / (2 * np.mean(counts))
