import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW
from service.bundle.query_encoding import NO_HISTORY, encode_queries, untimed_history
from training.data.table import RatingsTable
from training.model.features import FeatureBags
from training.model.history_batch import HistoryBatch
from training.model.rating_biases import fit_biases
from training.model.rating_task import RatingTask
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]
Array = NDArray[np.floating[Any]]


def test_ratings_are_converted_to_standard_deviations_and_back(random_model: TrainedModel) -> None:
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
    model: TrainedModel,
    table: RatingsTable,
    user: int,
    history: list[tuple[int, float]],
    movie: int,
) -> float:
    """The rating task's docstring in numpy, in standard deviations from the mean."""
    task: Any = model.model.rating_task
    vocabulary, candidate = model.vocabulary, model.candidate_embeddings[movie]
    fitted = fit_biases(table).movies / vocabulary.rating_spread

    def movie_bias(row: int) -> float:
        content = bag(vocabulary.candidates, task._content_bias.table.numpy(), row)
        return float(fitted[row] + task._movie_bias.numpy()[row] + content[0])

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
    own = task._vectors.numpy()[movie]
    dot = float(vector @ (candidate @ task._candidate_projection.kernel.numpy() + own))
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


def history_batch() -> HistoryBatch:
    entries = [(at, row, stars) for at, history in enumerate(HISTORIES) for row, stars in history]
    queries, rows, stars = zip(*entries, strict=True)
    return HistoryBatch(
        tf.constant(queries),
        tf.constant(rows, tf.int32),
        tf.constant(stars, tf.float32),
        timestamps=tf.zeros(len(entries), tf.int64),
        distances=tf.zeros(len(entries)),
        num_queries=tf.constant(len(HISTORIES)),
    )


def test_predicted_ratings_agree_with_numpy(random_model: TrainedModel, train_table: RatingsTable) -> None:
    task = random_model.model.rating_task
    movies, pairs = [0, 84, 70], [(0, 0), (0, 2), (1, 1), (2, 0), (3, 1), (3, 2)]
    candidates = random_model.candidate_embeddings[movies]
    state = task.read_queries(tf.constant(USERS), history_batch())
    predicted = task(state, tf.constant(candidates), tf.constant(movies), tf.constant(pairs)).numpy()
    expected = [
        expected_rating(random_model, train_table, USERS[at], HISTORIES[at], movies[column])
        for at, column in pairs
    ]
    np.testing.assert_allclose(predicted, expected, rtol=1e-4, atol=1e-4)
    assert state.num_rated.numpy().tolist() == [2, 0, 0, 40]


def test_the_bias_of_a_user_is_the_shrunk_mean_of_the_residuals(make_model: MakeModel) -> None:
    """By hand: no content, no features, movie biases of zero, lambda 3, two ratings."""
    model = make_model(use_content=False)
    task: RatingTask = model.model.rating_task
    task._movie_bias.assign(-task._initial_bias.value)
    task._log_shrinkage.assign(math.log(3))
    mean, spread = model.vocabulary.mean_rating, model.vocabulary.rating_spread
    history = HistoryBatch(
        tf.constant([0, 0]),
        tf.constant([1, 2]),
        tf.constant([mean + spread, mean + 2 * spread], tf.float32),
        timestamps=tf.zeros(2, tf.int64),
        distances=tf.zeros(2),
        num_queries=tf.constant(1),
    )
    assert float(task.read_queries(tf.constant([NO_ROW]), history).bias[0]) == pytest.approx(
        (1 + 2) / (2 + 3), abs=1e-5
    )


def test_without_hidden_layers_a_rating_is_biases_and_a_dot_product(
    make_model: MakeModel, train_table: RatingsTable
) -> None:
    model = make_model(rating_layers=(), use_history=False, use_content=False)
    task = model.model.rating_task
    candidates = model.candidate_embeddings
    encoded = encode_queries([NO_HISTORY] * 2)
    no_history = HistoryBatch.from_inputs({name: tf.constant(array) for name, array in encoded.items()})
    state = task.read_queries(tf.constant([6, NO_ROW]), no_history)
    found = task(state, tf.constant(candidates), tf.range(85), tf.constant([(0, 7), (1, 7)])).numpy()
    users = model.vocabulary.users
    fitted = fit_biases(train_table).movies[7] / model.vocabulary.rating_spread
    bias = float(fitted + task._movie_bias.numpy()[7])
    vector = bag(users, task._features.table.numpy(), 6)
    own = bag(users, task._feature_bias.table.numpy(), 6)[0]
    dot = vector @ (candidates[7] @ task._candidate_projection.kernel.numpy() + task._vectors.numpy()[7])
    np.testing.assert_allclose(found, [own + bias + dot, bias], atol=1e-5)


def test_of_what_was_learned_nothing_all_or_a_share_is_kept(
    random_model: TrainedModel, train_table: RatingsTable
) -> None:
    """Without it, a rating is the mean, the movie's bias and the user's, shrunk by 15 ratings."""
    task = random_model.model.rating_task
    before = [weight.numpy() for weight in task.trainable_variables]
    history, movie = [(3, 5.0), (8, 2.0)], 7
    inputs = encode_queries([untimed_history(*map(list, zip(*history, strict=True)))])
    asked = np.array([[movie]], np.int32)
    learned = random_model.predict_ratings(inputs, asked)[0, 0]
    with random_model.model.keeping(rating=0.0):
        kept_none = random_model.predict_ratings(inputs, asked)[0, 0]
    biases = fit_biases(train_table)
    of_user = sum(stars - biases.mean - biases.movies[row] for row, stars in history) / (2 + 15)
    assert kept_none == pytest.approx(biases.mean + of_user + biases.movies[movie], abs=1e-4)
    assert abs(learned - kept_none) > 0.01
    for weight, value in zip(task.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    task.keep_share(0.5)
    half = random_model.predict_ratings(inputs, asked)[0, 0]
    for weight, value in zip(task.trainable_variables, before, strict=True):
        weight.assign(value)
    assert min(learned, kept_none) < half < max(learned, kept_none)
