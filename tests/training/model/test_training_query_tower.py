from collections.abc import Callable
from typing import Any

import numpy as np
from brute_force_bags import Array, bag
from numpy.typing import NDArray

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import encode_queries, untimed_history
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


def pooled(embeddings: Array, distances: list[float], scale: float, projection: Array) -> Array:
    weights = np.array([1 / (1 + distance / scale) for distance in distances])
    total: Array = weights @ embeddings / np.sqrt(np.sum(weights**2)) @ projection
    return total


def test_a_query_is_the_sum_of_its_features_and_pooled_history(random_model: TrainedModel) -> None:
    tower: Any = random_model.model.query_tower
    vocabulary = random_model.vocabulary
    moment = int(vocabulary.boundaries[7])
    stars = [5.0, 0.5, float("nan")]
    history = History(
        np.array([3, 70, 9], np.int32),
        np.array(stars, np.float32),
        np.array([moment - 5, moment, moment + 1]),
    )
    inputs = encode_queries([history], 6, moment)
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


def test_a_cold_start_user_without_history_is_the_base(random_model: TrainedModel) -> None:
    empty = random_model.histories.query_inputs(np.array([NO_ROW], np.int32), 64)
    base = random_model.model.query_tower._base.numpy()
    np.testing.assert_allclose(random_model.embed_queries(empty)[0], [*base, 1], atol=1e-6)


def embedded_at(model: TrainedModel, user: int, moment: int) -> NDArray[np.float32]:
    inputs = model.histories.query_inputs(np.array([user], np.int32), 64, np.array([moment]))
    [embedded] = model.embed_queries(inputs)
    return np.asarray(embedded)


def test_times_are_clipped_at_both_ends_to_those_trained_on(random_model: TrainedModel) -> None:
    first, last = random_model.vocabulary.time_range
    histories = random_model.histories
    # The user with the very first rating shows whether the history, too, is cut at the clipped time.
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


def test_a_query_without_a_time_may_take_the_mean_time_of_its_history(
    make_model: MakeModel,
) -> None:
    reading, ignoring = make_model(use_history_times=True), make_model()
    for model in (reading, ignoring):
        times: Any = model.model.query_tower._times
        times.table.assign(np.random.default_rng(0).normal(size=times.table.shape))
    boundaries = reading.vocabulary.boundaries
    unknown = encode_queries([untimed_history([3, 70, 9], [np.nan] * 3)], 6)
    known = unknown | {"history_timestamps": np.array([NO_TIMESTAMP, boundaries[2], boundaries[7]])}
    reading_tower: Any = reading.model.query_tower
    table = reading_tower._times.table.numpy()
    added = reading.embed_queries(known) - reading.embed_queries(unknown)
    np.testing.assert_allclose(added[0, :-1], (table[3] + table[8]) / 2, atol=1e-4)
    np.testing.assert_array_equal(ignoring.embed_queries(known), ignoring.embed_queries(unknown))
    moment = {"timestamps": boundaries[4:5]}
    # Other buckets, the same order.
    other_times = {"history_timestamps": np.array([NO_TIMESTAMP, boundaries[2] - 1, boundaries[7] - 1])}
    np.testing.assert_array_equal(
        reading.embed_queries(known | moment), reading.embed_queries(known | moment | other_times)
    )


def test_features_can_be_switched_off(make_model: MakeModel, random_model: TrainedModel) -> None:
    def differ(model: TrainedModel, a: Any, b: Any) -> bool:
        return not np.array_equal(model.embed_queries(a), model.embed_queries(b))

    histories = random_model.histories
    user = histories.query_inputs(np.array([4], np.int32), 64)
    another_history = user | {"history_rows": user["history_rows"][::-1]}
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
    assert not differ(make_model(use_history=False, added_factors=3), user, another_history)
    assert not differ(make_model(use_history=False, time_buckets=0), user, now)
    assert not differ(make_model(use_user_id=False), user, another_user)
