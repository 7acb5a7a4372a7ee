import math
import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras_rs import metrics
from numpy.typing import NDArray

from training.evaluation.metrics import (
    Calibration,
    HitRate,
    NormalizedDCG,
    Recall,
    RetrievalMetrics,
    RootMeanSquaredError,
    ranks,
)

# Few distinct values, so that ties are common.
Case = tuple[list[float], list[bool], int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Scores of up to 12 candidates, which of them do not compete, and a target."""
    scores = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=12))
    excluded = draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    return scores, excluded, draw(st.integers(0, len(scores) - 1))


def as_arrays(case: Case) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.bool_]]:
    scores, excluded, target = case
    return np.array([scores], np.float32), np.array([target], np.int32), np.array([excluded])


def ranks_of(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


@given(case=cases())
def test_a_rank_is_the_number_of_competitors_that_score_higher(case: Case) -> None:
    scores, excluded, target = case
    higher = [score > scores[target] for score in scores]
    assert ranks(*as_arrays(case)[:2]).tolist() == [sum(higher)]
    competing = [each for each, out in zip(higher, excluded, strict=True) if not out]
    assert ranks(*as_arrays(case)).tolist() == [sum(competing)]


def test_several_queries_are_ranked_at_once() -> None:
    scores = np.array([[1, 2, 3], [3, 2, 1], [5, 5, 5]], np.float32)
    assert ranks(scores, np.array([0, 1, 2])).tolist() == [2, 1, 0]
    excluded = np.array([[False, False, True], [True, True, False], [False] * 3])
    assert ranks(scores, np.array([0, 1, 2]), excluded).tolist() == [1, 0, 0]


def test_any_number_of_queries_is_ranked_each_without_its_own_excluded_candidates() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(0, 9, (700, 5)).astype(np.float32)
    targets, excluded = random.integers(0, 5, 700), random.random((700, 5)) < 0.4
    expected = [
        sum(score > row[target] and not out for score, out in zip(row, outs, strict=True))
        for row, target, outs in zip(scores.tolist(), targets.tolist(), excluded.tolist(), strict=True)
    ]
    assert ranks(scores, targets, excluded).tolist() == expected


def test_ties_count_in_the_favour_of_the_movie() -> None:
    assert ranks(np.zeros((1, 9), np.float32), np.array([8])).tolist() == [0]


@pytest.mark.parametrize("scores", [[math.nan, 0.0, 1.0], [math.nan] * 3])
def test_a_score_that_is_no_number_ranks_last(scores: list[float]) -> None:
    # A model that has lost its mind must not measure best of all.
    assert ranks(np.array([scores], np.float32), np.array([0])).tolist() == [3]
    assert ranks(np.array([scores], np.float32), np.array([0]), np.array([[False, True, False]])) == [2]


def test_the_hit_rate_is_the_share_of_rows_among_the_first_k() -> None:
    hit_rate = HitRate(3)
    hit_rate.update(ranks_of(0, 2, 3))
    hit_rate.update(ranks_of())
    hit_rate.update(ranks_of(100))
    assert hit_rate.result() == 2 / 4


def test_recall_is_a_mean_over_users() -> None:
    recall = Recall(2)
    recall.update(ranks_of(0, 1, 2, 3))
    recall.update(ranks_of(1))
    recall.update(ranks_of())  # a user without test movies is no user
    assert recall.result() == (0.5 + 1) / 2


def test_ndcg_agrees_with_a_calculation_by_hand() -> None:
    ndcg = NormalizedDCG(3)
    ndcg.update(ranks_of(0, 2))  # (1 + 1/2) of (1 + 1/log2(3))
    assert ndcg.result() == pytest.approx(1.5 / (1 + 1 / math.log2(3)))
    ndcg.update(ranks_of(3, 9))  # nothing among the first three
    assert ndcg.result() == pytest.approx(1.5 / (1 + 1 / math.log2(3)) / 2)


def test_ndcg_of_more_test_movies_than_places_can_still_be_1() -> None:
    ndcg = NormalizedDCG(2)
    ndcg.update(ranks_of(4, 1, 0, 3))
    assert ndcg.result() == 1


@given(found=st.sets(st.integers(0, 30), min_size=1, max_size=15), k=st.integers(1, 20))
def test_ndcg_and_recall_agree_with_a_list_walked_from_the_top(found: set[int], k: int) -> None:
    walked = [1 if place in found else 0 for place in range(31)]
    gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(walked[:k]))
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(found))))
    ndcg, recall = NormalizedDCG(k), Recall(k)
    for measure in (ndcg, recall):
        measure.update(ranks_of(*found))
    assert ndcg.result() == pytest.approx(gain / ideal)
    assert recall.result() == pytest.approx(sum(walked[:k]) / len(found))


def test_the_error_of_ratings_agrees_with_a_calculation_by_hand() -> None:
    error = RootMeanSquaredError()
    error.update(np.array([3.0, 5.0], np.float32), np.array([4.0, 3.0], np.float32))
    error.update(np.array([1.0]), np.array([1.0]))
    assert error.result() == pytest.approx(math.sqrt((1 + 4 + 0) / 3))


def test_without_rows_every_measure_is_not_a_number() -> None:
    for measure in (HitRate(10), Recall(10), NormalizedDCG(10), RootMeanSquaredError()):
        assert math.isnan(measure.result())
    assert all(math.isnan(value) for value in RetrievalMetrics().results().values())


def test_seen_movies_are_left_out_of_all_measures_but_accuracy() -> None:
    found = RetrievalMetrics()
    found.update(unseen=ranks_of(9, 19), among_all=ranks_of(99, 100))
    found.update(unseen=ranks_of(49), among_all=ranks_of(100))
    found.update(unseen=ranks_of(), among_all=ranks_of())
    assert found.results() == pytest.approx(
        {
            "hit_rate_at_10": 1 / 3,
            "hit_rate_at_50": 1,
            "hit_rate_at_100": 1,
            "ndcg_at_10": (1 / math.log2(11)) / (1 + 1 / math.log2(3)) / 2,
            "recall_at_20": (1 + 0) / 2,
            "top_100_accuracy": 1 / 3,
        }
    )


def test_calibration_has_ten_bins_of_as_many_rows_by_predicted_stars() -> None:
    predicted = np.random.default_rng(0).permutation(np.linspace(1, 5, 2_000))
    calibration = Calibration((1, 5))
    for part in np.split(predicted, 4):
        calibration.update(part, part / 2)
    found = calibration.result()
    assert [one["rows"] for one in found] == [200] * 10
    expected = np.sort(predicted).reshape(10, 200).mean(axis=1)
    assert [one["predicted"] for one in found] == pytest.approx(expected.tolist())
    assert [one["true"] for one in found] == pytest.approx((expected / 2).tolist())


def test_calibration_of_few_or_equal_predictions_has_fewer_bins() -> None:
    calibration = Calibration((1, 5))
    assert calibration.result() == []
    calibration.update(np.array([1.0, 5.0, 5.0]), np.array([2.0, 4.0, 5.0]))  # both ends of the scale
    assert calibration.result() == [
        {"predicted": 1, "true": 2, "rows": 1},
        {"predicted": 5, "true": 4.5, "rows": 2},
    ]


def test_calibration_keeps_all_classes_apart_and_a_prediction_at_an_edge_is_in_the_upper_one() -> None:
    calibration = Calibration((0, 1000))  # classes one star wide
    predicted = np.array([0.5, 1.0, 998.5, 999.0])
    calibration.update(predicted, predicted)
    assert [one["predicted"] for one in calibration.result()] == predicted.tolist()


def test_a_class_of_many_rows_is_in_the_bin_of_its_middle_row() -> None:
    """Bins of two rows each: the middle of three rows is in the first, the fourth row in the second."""
    calibration = Calibration((1, 5))
    predicted = np.repeat([2.0, 3.0, 4.0], [3, 1, 16])
    calibration.update(predicted, predicted)
    assert [one["rows"] for one in calibration.result()] == [3, 1, 16]


def of_keras_rs(measure: keras.Metric, wanted: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    measure.update_state(wanted.astype(np.float32), scores)
    return float(measure.result())


@pytest.mark.parametrize("k", [1, 10, 20, 50])
def test_measures_agree_with_those_of_keras_rs(k: int) -> None:
    """An outside oracle: lists of 60 candidates without ties, those excluded at their ends."""
    random = np.random.default_rng(k)
    users, candidates = 40, 60
    scores = random.permutation(users * candidates).reshape(users, candidates).astype(np.float32)
    wanted = random.random(scores.shape) < random.uniform(0.02, 0.4, (users, 1))
    wanted[:, 0] = True
    excluded = ~wanted & (random.random(scores.shape) < 0.3)
    recall, ndcg, hit_rate = Recall(k), NormalizedDCG(k), HitRate(k)
    for user in range(users):
        targets = np.flatnonzero(wanted[user])
        mine = np.broadcast_to(scores[user], (len(targets), candidates))
        places = ranks(mine, targets, excluded[[user]])
        for measure in (recall, ndcg, hit_rate):
            measure.update(places)
    left = np.where(excluded, scores - scores.size, scores)
    assert recall.result() == pytest.approx(of_keras_rs(metrics.RecallAtK(k), wanted, left))
    assert ndcg.result() == pytest.approx(of_keras_rs(metrics.NDCG(k), wanted, left))
    # A test row is a list in which only its own movie is wanted, the user's others out of the way.
    owner, movie = np.nonzero(wanted)
    own = np.zeros((len(owner), candidates), bool)
    own[np.arange(len(owner)), movie] = True
    assert hit_rate.result() == pytest.approx(of_keras_rs(metrics.RecallAtK(k), own, left[owner]))


def test_many_test_rows_of_one_user_are_ranked_in_little_memory() -> None:
    scores = np.random.default_rng(0).random(20_000).astype(np.float32)
    targets = np.arange(0, 20_000, 10)
    tracemalloc.start()
    found = ranks(np.broadcast_to(scores, (len(targets), len(scores))), targets, np.zeros((1, 20_000), bool))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # At once it would be 40 MB for each array of a truth per row and candidate.
    assert peak_bytes < 4_000_000
    order = np.argsort(-scores).tolist()
    assert found[:50].tolist() == [order.index(target) for target in targets[:50].tolist()]
