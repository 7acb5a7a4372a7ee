import itertools
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
    Ranks,
    RootMeanSquaredError,
    expected_hits,
    ndcg_parts,
    ranks,
    ranks_of_user,
    recall_parts,
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


def ranks_of(*values: int) -> Ranks:
    """Ranks without ties."""
    return Ranks(np.array(values, np.int64), np.ones(len(values), np.int64))


def pairs(of: Ranks) -> list[tuple[int, int]]:
    return list(zip(of.better.tolist(), of.tied.tolist(), strict=True))


def ndcg(of: Ranks, k: int) -> float:
    """NDCG of one user."""
    return float(ndcg_parts(of, k, np.full(len(of), len(of))).sum())


def recall(of: Ranks, k: int) -> float:
    """Recall of one user."""
    return float(recall_parts(of, k, np.full(len(of), len(of))).sum())


@given(case=cases())
def test_a_rank_is_the_number_of_competitors_that_score_higher_and_of_those_that_tie(case: Case) -> None:
    scores, excluded, target = case
    higher = [score > scores[target] for score in scores]
    equal = [score == scores[target] for score in scores]
    assert pairs(ranks(*as_arrays(case)[:2])) == [(sum(higher), sum(equal))]
    competes = [not out or at == target for at, out in enumerate(excluded)]
    competing = [sum(np.array(one) & competes) for one in (higher, equal)]
    assert pairs(ranks(*as_arrays(case))) == [tuple(competing)]


def test_several_queries_are_ranked_at_once() -> None:
    scores = np.array([[1, 2, 3], [3, 2, 1], [5, 5, 5]], np.float32)
    assert pairs(ranks(scores, np.array([0, 1, 2]))) == [(2, 1), (1, 1), (0, 3)]
    excluded = np.array([[False, False, True], [True, True, False], [False, True, False]])
    assert pairs(ranks(scores, np.array([0, 1, 2]), excluded)) == [(1, 1), (0, 1), (0, 2)]


def test_any_number_of_queries_is_ranked_each_without_its_own_excluded_candidates() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(0, 9, (700, 5)).astype(np.float32)
    targets, excluded = random.integers(0, 5, 700), random.random((700, 5)) < 0.4
    expected = [
        sum(score > row[target] and not out for score, out in zip(row, outs, strict=True))
        for row, target, outs in zip(scores.tolist(), targets.tolist(), excluded.tolist(), strict=True)
    ]
    assert ranks(scores, targets, excluded).better.tolist() == expected


@pytest.mark.parametrize("scores", [[math.nan, 0.0, 1.0], [math.nan] * 3])
def test_a_score_that_is_no_number_ranks_last(scores: list[float]) -> None:
    # A model that has lost its mind must not measure best of all.
    row = np.array(scores, np.float32)
    assert pairs(ranks(row[None], np.array([0]))) == [(3, 1)]
    assert pairs(ranks(row[None], np.array([0]), np.array([[False, True, False]]))) == [(2, 1)]
    for many in (1, 20):  # few and many are compared in different ways
        unseen, among_all = ranks_of_user(row, np.zeros(many, np.int64), np.array([1]))
        assert (pairs(unseen), pairs(among_all)) == ([(2, 1)] * many, [(3, 1)] * many)


def test_a_number_ranks_before_every_score_that_is_none() -> None:
    row = np.array([math.nan, 0.0, -math.inf, math.nan], np.float32)
    assert pairs(ranks(row[None], np.array([1]))) == [(0, 1)]
    for many in (1, 20):
        assert pairs(ranks_of_user(row, np.ones(many, np.int64), np.array([0]))[0]) == [(0, 1)] * many


@given(case=cases(), targets=st.lists(st.integers(0, 11), min_size=1, max_size=20))
def test_targets_of_one_user_are_ranked_as_each_by_itself(case: Case, targets: list[int]) -> None:
    scores, excluded, _ = case
    wanted = np.array([target for target in targets if target < len(scores)], np.int32)
    seen = np.setdiff1d(np.flatnonzero(excluded), wanted)
    row = np.array(scores, np.float32)
    unseen, among_all = ranks_of_user(row, wanted, seen)
    repeated = np.broadcast_to(row, (len(wanted), len(row)))
    without = np.zeros((len(wanted), len(row)), bool)
    without[:, seen] = True
    assert pairs(unseen) == pairs(ranks(repeated, wanted, without))
    assert pairs(among_all) == pairs(ranks(repeated, wanted))


def orders_of_ties(scores: list[float]) -> list[list[int]]:
    """Every ranking of candidates that agrees with their scores."""
    return [
        list(order)
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]


@given(
    scores=st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=6),
    wanted=st.sets(st.integers(0, 5), min_size=1),
    k=st.integers(1, 6),
)
def test_a_tie_counts_as_the_mean_over_every_order_of_it(
    scores: list[float], wanted: set[int], k: int
) -> None:
    targets = np.array(sorted(movie for movie in wanted if movie < len(scores)), np.int32)
    if not len(targets):
        return
    found, _ = ranks_of_user(np.array(scores, np.float32), targets, np.empty(0, np.int32))
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(targets))))
    orders = orders_of_ties(scores)
    gains = [
        sum(1 / math.log2(place + 2) for place, movie in enumerate(order[:k]) if movie in targets)
        for order in orders
    ]
    shares = [len(set(order[:k]) & set(targets.tolist())) / len(targets) for order in orders]
    assert ndcg(found, k) == pytest.approx(np.mean(gains) / ideal)
    assert recall(found, k) == pytest.approx(np.mean(shares))
    assert expected_hits(found, k).mean() == pytest.approx(np.mean(shares))


def test_movies_that_all_tie_are_found_as_by_chance_and_never_better_than_ideal() -> None:
    """300 movies of one score, 60 of them wanted: first places for all of them would make an NDCG of 13."""
    targets = np.arange(60)
    found, _ = ranks_of_user(np.zeros(300, np.float32), targets, np.empty(0, np.int32))
    assert ndcg(found, 10) == pytest.approx(60 / 300)
    assert recall(found, 20) == pytest.approx(20 / 300)
    hit_rate = HitRate(100)
    hit_rate.update(found)
    assert hit_rate.result() == pytest.approx(1 / 3)


def test_the_hit_rate_is_the_share_of_rows_among_the_first_k() -> None:
    hit_rate = HitRate(3)
    hit_rate.update(ranks_of(0, 2, 3))
    hit_rate.update(ranks_of())
    hit_rate.update(ranks_of(100))
    assert hit_rate.result() == 2 / 4


def test_recall_is_of_the_movies_of_each_rows_user() -> None:
    of_both = recall_parts(ranks_of(0, 1, 2, 3, 1), 2, np.array([4, 4, 4, 4, 1]))
    assert of_both.tolist() == [0.25, 0.25, 0, 0, 1]


def test_ndcg_agrees_with_a_calculation_by_hand() -> None:
    # (1 + 1/2) of (1 + 1/log2(3))
    assert ndcg(ranks_of(0, 2), 3) == pytest.approx(1.5 / (1 + 1 / math.log2(3)))
    assert ndcg(ranks_of(3, 9), 3) == 0


def test_ndcg_of_more_test_movies_than_places_can_still_be_1() -> None:
    assert ndcg(ranks_of(4, 1, 0, 3), 2) == 1


@given(found=st.sets(st.integers(0, 30), min_size=1, max_size=15), k=st.integers(1, 20))
def test_ndcg_and_recall_agree_with_a_list_walked_from_the_top(found: set[int], k: int) -> None:
    walked = [1 if place in found else 0 for place in range(31)]
    gain = sum(hit / math.log2(place + 2) for place, hit in enumerate(walked[:k]))
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(found))))
    assert ndcg(ranks_of(*found), k) == pytest.approx(gain / ideal)
    assert recall(ranks_of(*found), k) == pytest.approx(sum(walked[:k]) / len(found))


def test_the_error_of_ratings_agrees_with_a_calculation_by_hand() -> None:
    error = RootMeanSquaredError()
    error.update(np.array([3.0, 5.0], np.float32), np.array([4.0, 3.0], np.float32))
    error.update(np.array([1.0]), np.array([1.0]))
    assert error.result() == pytest.approx(math.sqrt((1 + 4 + 0) / 3))


def test_without_rows_every_measure_is_not_a_number() -> None:
    for measure in (HitRate(10), RootMeanSquaredError()):
        assert math.isnan(measure.result())


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


def test_calibration_leaves_out_rows_without_a_rating() -> None:
    calibration = Calibration((1, 5))
    calibration.update(np.array([2.0, 4.0]), np.array([np.nan, 3.0]))
    assert calibration.result() == [{"predicted": 4, "true": 3, "rows": 1}]


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
    hit_rate, recalls, ndcgs = HitRate(k), [], []
    for user in range(users):
        targets = np.flatnonzero(wanted[user])
        places, _ = ranks_of_user(scores[user], targets, np.flatnonzero(excluded[user]))
        hit_rate.update(places)
        recalls.append(recall(places, k))
        ndcgs.append(ndcg(places, k))
    left = np.where(excluded, scores - scores.size, scores)
    assert np.mean(recalls) == pytest.approx(of_keras_rs(metrics.RecallAtK(k), wanted, left))
    assert np.mean(ndcgs) == pytest.approx(of_keras_rs(metrics.NDCG(k), wanted, left))
    # A test row is a list in which only its own movie is wanted, the user's others out of the way.
    owner, movie = np.nonzero(wanted)
    own = np.zeros((len(owner), candidates), bool)
    own[np.arange(len(owner)), movie] = True
    assert hit_rate.result() == pytest.approx(of_keras_rs(metrics.RecallAtK(k), own, left[owner]))


def test_many_test_rows_of_one_user_are_ranked_in_little_memory() -> None:
    scores = np.random.default_rng(0).random(20_000).astype(np.float32)
    targets = np.arange(0, 20_000, 10)
    tracemalloc.start()
    found = ranks(np.broadcast_to(scores, (len(targets), len(scores))), targets)
    of_user, _ = ranks_of_user(scores, targets, np.empty(0, np.int64))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # At once it would be 40 MB for each array of a truth per row and candidate.
    assert peak_bytes < 6_000_000
    order = np.argsort(-scores).tolist()
    assert found.better[:50].tolist() == [order.index(target) for target in targets[:50].tolist()]
    assert pairs(found) == pairs(of_user)
