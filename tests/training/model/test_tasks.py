import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW
from training.model.features import FeatureBags
from training.model.fitting import TrainedModel
from training.model.layers import FlatHistory
from training.model.tasks import RatingTask, RetrievalTask

MakeModel = Callable[..., TrainedModel]
Array = NDArray[np.floating[Any]]


def retrieval_loss(
    logits: list[list[float]],
    pairs: list[tuple[int, int]],
    weights: list[float],
    *,
    masked: list[tuple[int, int]] | None = None,
    log_sampling: list[float] | None = None,
) -> float:
    """The task's loss where the dot products are `logits`."""
    queries, columns = np.array(logits, np.float32), len(logits[0])
    loss = RetrievalTask()(
        tf.constant(queries),
        tf.eye(columns),
        log_sampling=tf.constant(log_sampling or [0.0] * columns),
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


def test_the_loss_of_everything_masked_but_the_target_is_zero_and_has_a_gradient() -> None:
    assert retrieval_loss(LOGITS, [(0, 1)], [1.0], masked=[(0, 0), (0, 2)]) == pytest.approx(0)
    queries = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(queries)
        loss = RetrievalTask()(
            queries,
            tf.eye(3),
            log_sampling=tf.zeros(3),
            pairs=tf.constant([[0, 1]]),
            weights=tf.constant([1.0]),
            masked_pairs=tf.constant([[0, 0], [0, 2]]),
        )
    assert tape.gradient(loss, queries).numpy().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_ratings_are_told_in_standard_deviations_and_back(random_model: TrainedModel) -> None:
    task, vocabulary = random_model.model.rating_task, random_model.vocabulary
    stars = np.array([0.5, 3.5, 5.0, np.nan], np.float32)
    standardized = task.standardize(tf.constant(stars)).numpy()
    expected = (stars[:3] - vocabulary.mean_rating) / vocabulary.rating_spread
    np.testing.assert_allclose(standardized, [*expected, 0], atol=1e-5)
    np.testing.assert_allclose(task.to_stars(standardized[:3]).numpy(), stars[:3], atol=1e-5)
    assert task.to_stars(tf.constant([-99.0, 99.0])).numpy().tolist() == [0.5, 5.0]


def bag(bags: FeatureBags, table: Array, row: int) -> Array:
    if row == NO_ROW:
        return np.zeros(table.shape[1])
    present = bags.rows[row] != NO_ROW
    return np.asarray(bags.weights[row][present] @ table[bags.rows[row][present]])


def expected_rating(
    model: TrainedModel, user: int, history: list[tuple[int, float]], movie: int, candidate: Array
) -> float:
    """The rating task's docstring in numpy, in standard deviations from the mean."""
    task: Any = model.model.rating_task
    vocabulary = model.vocabulary

    def movie_bias(row: int) -> float:
        content = bag(vocabulary.candidates, task._content_bias.table.numpy(), row)
        return float(task._movie_bias.numpy()[row] + content[0])

    rated = [(row, stars) for row, stars in history if not np.isnan(stars)]
    residuals = {
        row: (stars - vocabulary.mean_rating) / vocabulary.rating_spread - movie_bias(row)
        for row, stars in rated
    }
    shrinkage = math.exp(float(task._log_shrinkage.numpy()))
    history_bias = sum(residuals.values()) / (len(rated) + shrinkage)
    user_bias = float(bag(vocabulary.users, task._feature_bias.table.numpy(), user)[0]) + history_bias
    presence, preference = task._presence.numpy(), task._preference.numpy()
    vector = bag(vocabulary.users, task._features.table.numpy(), user)
    for row, _ in history:
        liking = residuals[row] - history_bias if row in residuals else 0
        vector = vector + (presence[row] + liking * preference[row]) / math.sqrt(len(history) + 1)
    dot = float(vector @ (candidate @ task._candidate_projection.kernel.numpy()))
    known = [
        user_bias,
        movie_bias(movie),
        dot,
        math.log(1 + vocabulary.candidate_counts[movie]) / 5,
        math.log(1 + len(rated)) / 5,
    ]
    hidden, last = task._hidden[0], task._correction
    activated = np.maximum(known @ hidden.kernel.numpy() + hidden.bias.numpy(), 0)
    correction = (activated @ last.kernel.numpy() + last.bias.numpy())[0]
    return float(user_bias + known[1] + dot + correction)


HISTORIES = [
    [(3, 5.0), (70, 0.5), (9, math.nan)],
    [],
    [(1, math.nan)],
    [(row, 4.0 + row % 2) for row in range(40)],
]
USERS = [6, NO_ROW, 119, 0]


def flat_history() -> FlatHistory:
    flat = [(at, row, stars) for at, history in enumerate(HISTORIES) for row, stars in history]
    queries, rows, stars = zip(*flat, strict=True)
    return FlatHistory(
        tf.constant(queries, tf.int64),
        tf.constant(rows, tf.int32),
        tf.constant(stars, tf.float32),
        timestamps=tf.zeros(len(flat), tf.int64),
        distances=tf.zeros(len(flat)),
        num_queries=tf.constant(len(HISTORIES)),
    )


def test_predicted_ratings_agree_with_numpy(random_model: TrainedModel) -> None:
    task = random_model.model.rating_task
    movies, pairs = [0, 84, 70], [(0, 0), (0, 2), (1, 1), (2, 0), (3, 1), (3, 2)]
    candidates = random_model.embed_candidates()[movies]
    taste = task.taste(tf.constant(USERS), flat_history())
    predicted = task(taste, tf.constant(candidates), tf.constant(movies), tf.constant(pairs)).numpy()
    expected = [
        expected_rating(random_model, USERS[at], HISTORIES[at], movies[column], candidates[column])
        for at, column in pairs
    ]
    np.testing.assert_allclose(predicted, expected, rtol=1e-4, atol=1e-4)
    assert taste.num_rated.numpy().tolist() == [2, 0, 0, 40]


def test_the_bias_of_a_person_is_the_shrunk_mean_of_what_is_left(make_model: MakeModel) -> None:
    """By hand: no content, no features, movie biases of zero, lambda 3, two ratings."""
    model = make_model(use_content=False)
    task: RatingTask = model.model.rating_task
    task._movie_bias.assign(np.zeros(85))
    task._log_shrinkage.assign(math.log(3))
    mean, spread = model.vocabulary.mean_rating, model.vocabulary.rating_spread
    history = FlatHistory(
        tf.constant([0, 0], tf.int64),
        tf.constant([1, 2]),
        tf.constant([mean + spread, mean + 2 * spread], tf.float32),
        timestamps=tf.zeros(2, tf.int64),
        distances=tf.zeros(2),
        num_queries=tf.constant(1),
    )
    assert float(task.taste(tf.constant([NO_ROW]), history).bias[0]) == pytest.approx(
        (1 + 2) / (2 + 3), abs=1e-5
    )


def test_without_hidden_layers_a_rating_is_biases_and_a_dot_product(make_model: MakeModel) -> None:
    model = make_model(rating_layers=(), use_history=False, use_content=False)
    task = model.model.rating_task
    candidates = model.embed_candidates()
    taste = task.taste(tf.constant([6, NO_ROW]), FlatHistory.from_inputs(_no_history()))
    found = task(taste, tf.constant(candidates), tf.range(85), tf.constant([(0, 7), (1, 7)])).numpy()
    users, bias = model.vocabulary.users, float(task._movie_bias.numpy()[7])
    vector = bag(users, task._features.table.numpy(), 6)
    own = bag(users, task._feature_bias.table.numpy(), 6)[0]
    dot = vector @ (candidates[7] @ task._candidate_projection.kernel.numpy())
    np.testing.assert_allclose(found, [own + bias + dot, bias], atol=1e-5)


def _no_history() -> dict[str, tf.Tensor]:
    return {
        "timestamps": tf.zeros(2, tf.int64),
        "history_rows": tf.fill((2, 1), NO_ROW),
        "history_ratings": tf.fill((2, 1), math.nan),
        "history_timestamps": tf.zeros((2, 1), tf.int64),
    }


def test_a_softmax_over_distinct_columns_is_that_over_all_rows_of_a_batch() -> None:
    random = np.random.default_rng(0)
    queries, movies = random.normal(size=(6, 3)), random.normal(size=(4, 3))
    watched = np.array([2, 0, 2, 3, 2, 0])
    logits = queries @ movies[watched].T
    expected = (np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)).sum()
    columns, targets, counts = np.unique(watched, return_inverse=True, return_counts=True)
    found = RetrievalTask().one_target_each(
        tf.constant(queries, tf.float32),
        tf.constant(movies[np.append(columns, 1)], tf.float32),  # and one that is not there
        log_counts=tf.constant(np.append(np.log(counts), -1e9), tf.float32),
        targets=tf.constant(targets, tf.int32),
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)
