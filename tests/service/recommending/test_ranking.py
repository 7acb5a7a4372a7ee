import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.recommending.queries import RecommendQuery
from service.recommending.ranking import RankedList, pick_diverse, ranking_keys

SCORES = np.array([4.0, 2.0, 1.0, 1.0], np.float32)
STARS = np.array([3.0, 5.0, 4.0, 4.0])
ROWS = np.array([7, 3, 9, 8], np.int32)
EMBEDDINGS = np.array([[2, 0], [1, 0], [0, 1], [0, -3]], np.float32)


def ranked() -> RankedList:
    return RankedList(ROWS, SCORES, SCORES.astype(float), STARS)


def test_rank_by_rating_sorts_by_stars_and_ties_by_row() -> None:
    movies = ranked()
    movies.reorder(RecommendQuery(user_id="1", rank_by="rating"), EMBEDDINGS)
    assert movies.rows.tolist() == [3, 8, 9, 7]
    assert movies.keys.tolist() == [5, 4, 4, 3]
    assert movies.scores.tolist() == [2, 1, 1, 4]
    assert movies.stars is not None
    assert movies.stars.tolist() == [5, 4, 4, 3]


def test_a_blend_is_the_sum_of_both_standardized() -> None:
    """Scores: mean 2, deviation sqrt(1.5); stars: mean 4, deviation sqrt(0.5)."""
    deviations = [(4 - 2, 3 - 4), (2 - 2, 5 - 4), (1 - 2, 0), (1 - 2, 0)]
    expected = [score / math.sqrt(1.5) + stars / math.sqrt(0.5) for score, stars in deviations]
    assert ranking_keys("blend", SCORES, STARS).tolist() == pytest.approx(expected)


def test_a_constant_term_does_not_count_in_a_blend() -> None:
    assert ranking_keys("blend", SCORES, np.full(4, 3.5)).argmax() == 0
    assert ranking_keys("blend", np.ones(4, np.float32), STARS).argmax() == 1
    assert ranking_keys("blend", SCORES[:0], STARS[:0]).tolist() == []


def test_diversity_is_maximal_marginal_relevance() -> None:
    """Relevance 1, 1/3, 0, 0; the second is like the first, the others at right angles to it or opposite."""
    order, values = pick_diverse(SCORES.astype(float), EMBEDDINGS, 0.5, 4)
    assert order.tolist() == [0, 2, 3, 1]
    # 0.5 * 1; 0.5 * 0 - 0.5 * 0 twice (opposite is as good as unlike); 0.5 / 3 - 0.5 * 1
    assert values.tolist() == pytest.approx([0.5, 0, 0, 0.5 / 3 - 0.5])


def test_a_diverse_list_has_the_values_of_its_picks_as_keys() -> None:
    movies = ranked()
    movies.reorder(RecommendQuery(user_id="1", diversity=0.5), EMBEDDINGS)
    assert movies.rows.tolist() == [7, 9, 8, 3]
    assert movies.scores.tolist() == [4, 1, 1, 2]
    assert movies.keys.tolist() == pytest.approx([0.5, 0, 0, 0.5 / 3 - 0.5])


def test_a_list_by_stars_may_be_diverse_too() -> None:
    """By stars 3, 8, 9, 7 with relevance 1, 1/2, 1/2, 0; the last is like the first."""
    movies = ranked()
    movies.reorder(RecommendQuery(user_id="1", rank_by="rating", diversity=0.5), EMBEDDINGS)
    assert movies.rows.tolist() == [3, 8, 9, 7]
    assert movies.keys.tolist() == pytest.approx([0.5, 0.25, 0.25, -0.5])


def test_short_embeddings_and_close_scores_count_as_any_and_no_embedding_is_unlike_all() -> None:
    embeddings = np.array([[0.5, 0], [0.25, 0], [0, 0]], np.float32)
    order, values = pick_diverse(np.array([0.5, 0.25, 0]), embeddings, 0.5, 3)
    assert order.tolist() == [0, 2, 1]
    assert values.tolist() == pytest.approx([0.5, 0, 0.25 - 0.5])


def test_diversity_of_one_picks_the_most_dissimilar_and_ties_in_order() -> None:
    order, _ = pick_diverse(SCORES.astype(float), EMBEDDINGS, 1.0, 3)
    assert order.tolist() == [0, 2, 3]


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=30),
    st.floats(0.01, 1),
    st.integers(0, 5),
    st.integers(1, 40),
)
def test_values_never_rise_and_a_smaller_count_is_a_prefix_of_a_larger(
    keys: list[int], diversity: float, seed: int, count: int
) -> None:
    falling = np.array(sorted(keys, reverse=True), float)
    embeddings = np.random.default_rng(seed).integers(-2, 3, (len(keys), 3)).astype(np.float32)
    order, values = pick_diverse(falling, embeddings, diversity, len(keys))
    assert sorted(order.tolist()) == list(range(len(keys)))
    assert np.all(np.diff(values) <= 0)
    fewer, _ = pick_diverse(falling, embeddings, diversity, count)
    assert fewer.tolist() == order.tolist()[:count]
