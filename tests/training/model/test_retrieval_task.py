import math

import numpy as np
import pytest
import tensorflow as tf

from training.model.retrieval_task import RetrievalTask


def retrieval_loss(
    logits: list[list[float]],
    pairs: list[tuple[int, int]],
    weights: list[float],
    *,
    masked: list[tuple[int, int]] | None = None,
    log_sampling: list[float] | None = None,
    trend: list[list[float]] | None = None,
) -> float:
    """The task's loss where the dot products are `logits`."""
    queries, columns = np.array(logits, np.float32), len(logits[0])
    loss = RetrievalTask()(
        tf.constant(queries),
        tf.eye(columns),
        log_sampling=tf.constant(log_sampling or [0.0] * columns),
        trend=None if trend is None else tf.constant(trend),
        pairs=tf.constant(pairs, tf.int32),
        weights=tf.constant(weights),
        masked_pairs=tf.reshape(tf.constant(masked or [], tf.int32), (-1, 2)),
    )
    return float(loss)


LOGITS = [[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]]


def test_the_retrieval_loss_is_cross_entropy_weighted_by_pair() -> None:
    first = -math.log(math.exp(2) / (math.exp(1) + math.exp(2) + math.exp(3)))
    second = -math.log(math.exp(0.5) / (math.exp(0) + math.exp(-1) + math.exp(0.5)))
    assert retrieval_loss(LOGITS, [(0, 1), (1, 2)], [0.75, 0.25]) == pytest.approx(
        0.75 * first + 0.25 * second, abs=1e-6
    )


def test_a_masked_movie_is_neither_target_nor_negative() -> None:
    expected = -math.log(math.exp(2) / (math.exp(1) + math.exp(2)))
    assert retrieval_loss(LOGITS, [(0, 1)], [1.0], masked=[(0, 2)]) == pytest.approx(expected, abs=1e-6)
    # Not even one with the largest score by far, nor when it is masked twice.
    huge = [[1.0, 2.0, 1e4], LOGITS[1]]
    assert retrieval_loss(huge, [(0, 1)], [1.0], masked=[(0, 2), (0, 2)]) == pytest.approx(expected, abs=1e-6)


def test_masks_hold_for_their_own_query_only() -> None:
    both = retrieval_loss(LOGITS, [(0, 1), (1, 2)], [0.5, 0.5], masked=[(0, 2)])
    first = retrieval_loss(LOGITS, [(0, 1)], [0.5], masked=[(0, 2)])
    assert both == pytest.approx(first + retrieval_loss(LOGITS, [(1, 2)], [0.5]), abs=1e-6)


def test_the_log_of_the_sampling_probability_is_taken_off() -> None:
    chances = [0.5, 0.1, 1.0]
    corrected = [math.exp(logit) / chance for logit, chance in zip(LOGITS[0], chances, strict=True)]
    expected = -math.log(corrected[1] / sum(corrected))
    log_sampling = [math.log(chance) for chance in chances]
    found = retrieval_loss(LOGITS, [(0, 1)], [1.0], log_sampling=log_sampling)
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_was_popular_at_the_time_of_a_query_is_added_to_its_scores() -> None:
    moved = [[1.0, 2.5, 1.0], [0.0, -1.0, 3.5]]
    trend = [[0.0, 0.5, -2.0], [0.0, 0.0, 3.0]]
    pairs, weights, masked = [(0, 1), (1, 0)], [0.25, 0.75], [(1, 1)]
    found = retrieval_loss(LOGITS, pairs, weights, masked=masked, trend=trend)
    assert found == pytest.approx(retrieval_loss(moved, pairs, weights, masked=masked), abs=1e-6)


def test_the_loss_of_everything_masked_but_the_target_is_zero_and_has_a_gradient() -> None:
    assert retrieval_loss(LOGITS, [(0, 1)], [1.0], masked=[(0, 0), (0, 2)]) == pytest.approx(0)
    queries = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(queries)
        loss = RetrievalTask()(
            queries,
            tf.eye(3),
            log_sampling=tf.zeros(3),
            trend=None,
            pairs=tf.constant([[0, 1]]),
            weights=tf.constant([1.0]),
            masked_pairs=tf.constant([[0, 0], [0, 2]]),
        )
    assert tape.gradient(loss, queries).numpy().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_the_gradient_is_that_of_cross_entropy_by_finite_differences() -> None:
    pairs, weights, masked = [(0, 1), (1, 2), (1, 0)], [0.5, 0.3, 0.2], [(0, 2)]
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        loss = RetrievalTask()(
            logits,
            tf.eye(3),
            log_sampling=tf.zeros(3),
            trend=None,
            pairs=tf.constant(pairs),
            weights=tf.constant(weights),
            masked_pairs=tf.constant(masked),
        )
    gradient = tape.gradient(loss, logits).numpy()
    step = 1e-2
    for row, column in np.ndindex(2, 3):
        moved = []
        for sign in (1, -1):
            other = [list(each) for each in LOGITS]
            other[row][column] += sign * step
            moved.append(retrieval_loss(other, pairs, weights, masked=masked))
        assert gradient[row, column] == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-3)
