from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from service.bundle import NO_ROW, NO_TIMESTAMP
from service.bundle.histories import History
from service.bundle.query_encoding import (
    NO_HISTORY,
    QUERY_DTYPES,
    QueryInputs,
    encode_queries,
    untimed_history,
)
from training.model.examples import ExampleSampler
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


USERS = np.array([3, 80, NO_ROW, NO_ROW], np.int32)
TIMES = [NO_TIMESTAMP, 1_005_000_000, NO_TIMESTAMP, 1_005_000_000]


@pytest.fixture(scope="module")
def histories(random_model: TrainedModel) -> list[History]:
    """Of two users, and of two cold-start users: one sends three movies, one of them not rated."""
    stored = [random_model.histories.history_of(user) for user in USERS[:2].tolist()]
    return [*stored, untimed_history([5, 60, 84], [5.0, 0.5, np.nan]), NO_HISTORY]


@pytest.fixture(scope="module")
def inputs(histories: list[History]) -> QueryInputs:
    return encode_queries(histories, USERS, TIMES)


def part_of(histories: list[History], rows: slice) -> QueryInputs:
    return encode_queries(histories[rows], USERS[rows], TIMES[rows])


CANDIDATES = np.tile(np.array([0, 41, 84, 84], np.int32), (4, 1))


def test_a_query_does_not_depend_on_the_rest_of_its_batch(
    random_model: TrainedModel, histories: list[History], inputs: QueryInputs
) -> None:
    embedded, stars = random_model.embed_queries(inputs), random_model.predict_ratings(inputs, CANDIDATES)
    for rows in (slice(0, 1), slice(2, 3), slice(3, 4), slice(None, None, -1)):
        part, candidates = part_of(histories, rows), CANDIDATES[rows]
        np.testing.assert_allclose(random_model.embed_queries(part), embedded[rows], atol=1e-6)
        np.testing.assert_allclose(random_model.predict_ratings(part, candidates), stars[rows], atol=1e-5)


def test_ratings_of_several_movies_are_those_of_each_alone(
    random_model: TrainedModel, histories: list[History], inputs: QueryInputs
) -> None:
    stars = random_model.predict_ratings(inputs, CANDIDATES)
    assert stars.shape == (4, 4)
    for column in range(4):
        alone = random_model.predict_ratings(inputs, CANDIDATES[:, [column]])
        np.testing.assert_allclose(alone[:, 0], stars[:, column], atol=1e-5)
    different = np.array([[0, 1], [2, 3], [4, 5], [6, 7]], np.int32)
    one_by_one = [
        random_model.predict_ratings(part_of(histories, slice(at, at + 1)), different[[at]])[0]
        for at in range(4)
    ]
    np.testing.assert_allclose(random_model.predict_ratings(inputs, different), one_by_one, atol=1e-5)


def test_no_movies_get_no_ratings(random_model: TrainedModel, inputs: QueryInputs) -> None:
    assert random_model.predict_ratings(inputs, np.zeros((4, 0), np.int32)).shape == (4, 0)


def test_ratings_stay_on_the_scale_however_large_the_weights(make_model: MakeModel) -> None:
    model = make_model()
    model.model.rating_task._movie_bias.assign(np.linspace(-50, 50, 85))
    empty = encode_queries([NO_HISTORY])
    stars = model.predict_ratings(empty, np.arange(85, dtype=np.int32)[None])
    assert (stars.min(), stars.max()) == (0.5, 5.0)


def test_the_stars_of_a_history_change_the_embedding(random_model: TrainedModel, inputs: QueryInputs) -> None:
    stars = np.asarray(inputs["history_ratings"], np.float32)
    other = inputs | {"history_ratings": np.where(stars > 3, np.float32(1), stars)}
    changed = np.abs(random_model.embed_queries(other) - random_model.embed_queries(inputs)).max(axis=1)
    assert (changed[:3] > 0.01).all()
    assert changed[3] == 0


def test_the_loss_is_the_weighted_sum_of_both_tasks(make_model: MakeModel) -> None:
    for retrieval_weight, rating_weight in ((1.0, 1.0), (0.25, 3.0), (0.0, 1.0)):
        model = make_model(retrieval_weight=retrieval_weight, rating_weight=rating_weight)
        outputs = model.model(_batch(model))
        loss = model.model.compute_loss(y_pred=outputs)
        expected = retrieval_weight * float(outputs["retrieval"]) + rating_weight * float(outputs["rating"])
        assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_both_losses_agree_with_numpy(make_model: MakeModel) -> None:
    model = make_model()
    task = model.model.rating_task
    task._low, task._high = -1e9, 1e9  # so that predicted stars are not clipped
    batch: dict[str, Any] = next(ExampleSampler(model.histories, model.config).batches())
    losses = model.model(_batch(model))
    inputs: QueryInputs = {name: batch[name] for name in QUERY_DTYPES}
    logits = (model.embed_queries(inputs) @ model.candidate_embeddings.T).astype(np.float64)
    logits[tuple(batch["masked_pairs"].T)] = -np.inf
    log_probability = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = log_probability[tuple(batch["retrieval_pairs"].T)]
    assert float(losses["retrieval"]) == pytest.approx(
        -np.sum(batch["retrieval_weights"] * targets), rel=1e-4
    )
    every_movie = np.tile(np.arange(85, dtype=np.int32), (len(logits), 1))
    stars = model.predict_ratings(inputs, every_movie)[tuple(batch["rating_pairs"].T)]
    errors = (stars - batch["ratings"]) / model.vocabulary.rating_spread
    assert float(losses["rating"]) == pytest.approx(np.mean(errors**2), rel=1e-4)


def _batch(model: TrainedModel) -> dict[str, tf.Tensor]:
    batch = next(ExampleSampler(model.histories, model.config).batches())
    return {name: tf.constant(values) for name, values in batch.items()}
