from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.model.features import FeatureBags
from training.model.fitting import TrainedModel
from training.model.layers import FlatHistory, OpenEmbedding
from training.model.towers import HistoryPooling, PlainTower

MakeModel = Callable[..., TrainedModel]
Array = NDArray[np.floating[Any]]


def bag(bags: FeatureBags, table: Array, row: int) -> Array:
    total = np.zeros(table.shape[1])
    for feature, weight in zip(bags.rows[row].tolist(), bags.weights[row].tolist(), strict=True):
        if feature != NO_ROW:
            total += weight * table[feature]
    return total


def pooled(embeddings: Array, distances: list[float], scale: float, projection: Array) -> Array:
    weights = np.array([1 / (1 + distance / scale) for distance in distances])
    total: Array = weights @ embeddings / np.sqrt(np.sum(weights**2)) @ projection
    return total


def test_a_candidate_is_its_id_and_its_content_and_a_bias(random_model: TrainedModel) -> None:
    tower: Any = random_model.model.candidate_tower
    vocabulary = random_model.vocabulary
    ids, content, bias = tower._ids.numpy(), tower._content.table.numpy(), tower._bias.numpy()
    rows = [84, 0, 3, 3, 50]
    expected = [[*(ids[row] + bag(vocabulary.candidates, content, row)), bias[row]] for row in rows]
    np.testing.assert_allclose(tower(tf.constant(rows)).numpy(), expected, atol=1e-5)


def test_a_candidate_without_content_is_its_id_and_a_bias(make_model: MakeModel) -> None:
    tower = make_model(use_content=False).model.candidate_tower
    expected = np.c_[tower._ids.numpy(), tower._bias.numpy()]
    np.testing.assert_allclose(tower(tf.range(85)).numpy(), expected, atol=1e-6)


def test_a_movie_that_nobody_rated_shares_the_content_of_others(make_model: MakeModel) -> None:
    tower = make_model().model.candidate_tower
    tower._ids.assign(np.zeros(tower._ids.shape))
    unrated = [row for row in range(85) if row >= 80]
    embedded = tower(tf.constant(unrated)).numpy()[:, :-1]
    assert (np.abs(embedded).sum(axis=1) > 0).all()  # 'nobody' is a word of all their titles


def test_layers_end_both_towers_and_set_the_width_of_the_embeddings(make_model: MakeModel) -> None:
    stacked, plain = make_model(layers=(7, 5)), make_model()
    inputs = plain.histories.query_inputs(np.array([0, 1], np.int32), 64)
    assert stacked.embed_queries(inputs).shape == (2, 6)
    assert plain.embed_queries(inputs).shape == (2, 17)
    assert stacked.embed_candidates().shape == (85, 6)
    tower: Any = stacked.model.candidate_tower
    first, first_bias, second, second_bias = (weight.numpy() for weight in tower._stack.weights)
    content = tower._content.table.numpy()
    values = tower._ids.numpy()[4] + bag(stacked.vocabulary.candidates, content, 4)
    expected = np.maximum(values @ first + first_bias, 0) @ second + second_bias
    np.testing.assert_allclose(stacked.embed_candidates()[4, :-1], expected, atol=1e-4)


def test_pooling_divides_by_the_length_of_the_weights() -> None:
    random = np.random.default_rng(0)
    presence, preference = random.normal(size=(2, 4, 3)).astype(np.float32)
    pooling = HistoryPooling(2.0, 3)
    pooling._projection.assign(random.normal(size=(3, 3)))
    pooling._timed_projection.assign(random.normal(size=(3, 3)))
    history = FlatHistory(
        queries=tf.constant([0, 0, 0, 2], tf.int64),
        movie_rows=tf.zeros(4, tf.int32),
        ratings=tf.zeros(4),
        timestamps=tf.zeros(4, tf.int64),
        distances=tf.constant([2.0, 1.0, 0.0, 0.0]),
        num_queries=tf.constant(3),
    )
    timed = tf.constant([[0.0], [1.0], [1.0]])
    found = pooling(history, tf.constant(presence), tf.constant(preference), timed).numpy()
    projection, summed = pooling._projection.numpy(), presence + preference
    # Weights 1/2, 2/3 and 1; nothing; 1.
    expected = [
        (summed[0] / 2 + summed[1] * 2 / 3 + summed[2]) / np.sqrt(1 / 4 + 4 / 9 + 1) @ projection,
        np.zeros(3),
        summed[3] @ (projection + pooling._timed_projection.numpy()),
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_query_is_the_sum_of_all_that_is_known_of_it(random_model: TrainedModel) -> None:
    tower: Any = random_model.model.query_tower
    vocabulary = random_model.vocabulary
    moment = int(vocabulary.boundaries[7])
    stars = [5.0, 0.5, float("nan")]
    inputs: dict[str, NDArray[Any]] = {
        "user_rows": np.array([6], np.int32),
        "timestamps": np.array([moment]),
        "history_rows": np.array([[3, 70, 9]], np.int32),
        "history_ratings": np.array([stars], np.float32),
        "history_timestamps": np.array([[moment - 5, moment, moment + 1]]),
    }
    presence, preference = tower._presence.numpy(), tower._preference.numpy()
    liking = [
        0 if np.isnan(each) else (each - vocabulary.mean_rating) / vocabulary.rating_spread for each in stars
    ]
    embedded = np.array(
        [presence[row] + like * preference[row] for row, like in zip([3, 70, 9], liking, strict=True)]
    )
    expected = (
        tower._base.numpy()
        + tower._ids.table.numpy()[6]
        + bag(vocabulary.users, tower._features.table.numpy(), 6)
        + tower._times.table.numpy()[8]  # a boundary belongs to the bucket that it begins
        + sum(
            pooled(embedded, [1, 0, 0], scale, pool._projection.numpy() + pool._timed_projection.numpy())
            for scale, pool in zip((5.0, 50.0), tower._pools, strict=True)
        )
    )
    found = random_model.embed_queries(inputs)[0]
    np.testing.assert_allclose(found[:-1], expected, atol=1e-4)
    assert found[-1] == 1  # so that a dot product adds the candidate's bias


def test_a_stranger_about_whom_nothing_is_known_is_the_base(random_model: TrainedModel) -> None:
    nobody = random_model.histories.query_inputs(np.array([NO_ROW], np.int32), 64)
    base = random_model.model.query_tower._base.numpy()
    np.testing.assert_allclose(random_model.embed_queries(nobody)[0], [*base, 1], atol=1e-6)


def embedded_at(model: TrainedModel, user: int, moment: int) -> NDArray[np.float32]:
    inputs = model.histories.query_inputs(np.array([user], np.int32), 64, np.array([moment]))
    [embedded] = model.embed_queries(inputs)
    return np.asarray(embedded)


def test_times_are_clipped_at_both_ends_to_those_trained_on(random_model: TrainedModel) -> None:
    first, last = random_model.vocabulary.time_range
    histories = random_model.histories
    # Whoever rated the very first movie shows whether the history, too, is cut at the clipped time.
    earliest = int(np.argmin(histories.timestamps[histories.offsets[:-1]]))
    for user in (earliest, 0, 5):
        for outside, inside in (
            (first - 1, first),
            (NO_TIMESTAMP + 1, first),
            (last + 1, last),
            (2**63 - 1, last),
        ):
            np.testing.assert_array_equal(
                embedded_at(random_model, user, outside), embedded_at(random_model, user, inside)
            )
    assert not np.array_equal(embedded_at(random_model, 0, first), embedded_at(random_model, 0, last))


def test_without_a_time_a_query_differs_from_any_with_one(random_model: TrainedModel) -> None:
    last = random_model.vocabulary.time_range[1]
    assert not np.allclose(
        embedded_at(random_model, 0, NO_TIMESTAMP), embedded_at(random_model, 0, last), atol=1e-3
    )


def test_a_query_without_a_time_is_read_at_the_mean_of_its_history_where_asked(make_model: MakeModel) -> None:
    reading, ignoring = make_model(use_history_times=True), make_model()
    for model in (reading, ignoring):
        times: Any = model.model.query_tower._times
        times.table.assign(np.random.default_rng(0).normal(size=times.table.shape))
    boundaries = reading.vocabulary.boundaries
    known: dict[str, NDArray[Any]] = {
        "user_rows": np.array([6], np.int32),
        "timestamps": np.array([NO_TIMESTAMP]),
        "history_rows": np.array([[3, 70, 9]], np.int32),
        "history_ratings": np.full((1, 3), np.nan, np.float32),
        "history_timestamps": np.array([[NO_TIMESTAMP, boundaries[2], boundaries[7]]]),
    }
    unknown = known | {"history_timestamps": np.full((1, 3), NO_TIMESTAMP)}
    table = reading.model.query_tower._times.table.numpy()
    added = reading.embed_queries(known) - reading.embed_queries(unknown)
    np.testing.assert_allclose(added[0, :-1], (table[3] + table[8]) / 2, atol=1e-4)
    np.testing.assert_array_equal(ignoring.embed_queries(known), ignoring.embed_queries(unknown))
    moment = {"timestamps": boundaries[4:5]}
    # Other buckets, the same order.
    other_times = {"history_timestamps": np.array([[NO_TIMESTAMP, boundaries[2] - 1, boundaries[7] - 1]])}
    np.testing.assert_array_equal(
        reading.embed_queries(known | moment), reading.embed_queries(known | moment | other_times)
    )


def test_features_can_be_switched_off(make_model: MakeModel, random_model: TrainedModel) -> None:
    def differ(model: TrainedModel, a: Any, b: Any) -> bool:
        return not np.array_equal(model.embed_queries(a), model.embed_queries(b))

    histories = random_model.histories
    user = histories.query_inputs(np.array([4], np.int32), 64)
    another_history = user | {"history_rows": user["history_rows"][:, ::-1]}
    now = user | {"timestamps": np.array([random_model.vocabulary.time_range[0] + 1_000_000])}
    # The same group, as the order of users is by id, and another id.
    same_group = next(
        other
        for other in range(5, 20)
        if random_model.vocabulary.users.rows[other, 0] == random_model.vocabulary.users.rows[4, 0]
    )
    another_user = user | {"user_rows": np.array([same_group], np.int32)}
    for other in (another_history, now, another_user):
        assert differ(random_model, user, other)
    assert not differ(make_model(use_history=False), user, another_history)
    assert not differ(make_model(use_history=False, time_buckets=0), user, now)
    assert not differ(make_model(use_user_id=False), user, another_user)


def test_features_are_summed_or_laid_side_by_side() -> None:
    one, two = OpenEmbedding(3, 2, 1.0), OpenEmbedding(5, 2, 1.0)
    features = [("a", one), ("b", two)]
    inputs = {"a": tf.constant([2, 0]), "b": tf.constant([4, 1])}
    left, right = one.table.numpy()[[3, 1]], two.table.numpy()[[5, 2]]
    np.testing.assert_allclose(PlainTower(features)(inputs).numpy(), left + right)
    side_by_side = PlainTower(features, concatenated=True)(inputs).numpy()
    np.testing.assert_array_equal(side_by_side, np.c_[left, right])
