from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from service.bundle import NO_ROW, NO_TIMESTAMP
from training.model.examples import ExampleSampler
from training.model.fitting import TrainedModel
from training.model.histories import QueryInputs

MakeModel = Callable[..., TrainedModel]


@pytest.fixture(scope="module")
def inputs(random_model: TrainedModel) -> QueryInputs:
    """Two users, a stranger with a history of movies without time, some not rated, and one with nothing."""
    inputs = random_model.histories.query_inputs(
        np.array([3, 80, NO_ROW, NO_ROW], np.int32),
        64,
        np.array([NO_TIMESTAMP, 1_005_000_000, NO_TIMESTAMP, 1_005_000_000]),
    )
    inputs["history_rows"][2, :3] = [5, 60, 84]
    inputs["history_ratings"][2, :2] = [5.0, 0.5]
    return inputs


def padded(inputs: QueryInputs, by: int) -> QueryInputs:
    padding: dict[str, Any] = {
        "history_rows": NO_ROW,
        "history_ratings": np.nan,
        "history_timestamps": NO_TIMESTAMP,
    }
    return inputs | {
        name: np.pad(inputs[name], ((0, 0), (0, by)), constant_values=value)
        for name, value in padding.items()
    }


def rows_of(inputs: QueryInputs, rows: slice) -> QueryInputs:
    return {name: values[rows] for name, values in inputs.items()}


CANDIDATES = np.tile(np.array([0, 41, 84, 84], np.int32), (4, 1))


def test_the_width_of_the_padding_changes_nothing(random_model: TrainedModel, inputs: QueryInputs) -> None:
    embedded, stars = random_model.embed_queries(inputs), random_model.predict_ratings(inputs, CANDIDATES)
    for by in (1, 40):
        wider = padded(inputs, by)
        np.testing.assert_allclose(random_model.embed_queries(wider), embedded, atol=1e-6)
        np.testing.assert_allclose(random_model.predict_ratings(wider, CANDIDATES), stars, atol=1e-5)


def test_who_else_is_in_the_batch_changes_nothing(random_model: TrainedModel, inputs: QueryInputs) -> None:
    embedded, stars = random_model.embed_queries(inputs), random_model.predict_ratings(inputs, CANDIDATES)
    for rows in (slice(0, 1), slice(2, 3), slice(3, 4), slice(None, None, -1)):
        part, candidates = rows_of(inputs, rows), CANDIDATES[rows]
        np.testing.assert_allclose(random_model.embed_queries(part), embedded[rows], atol=1e-6)
        np.testing.assert_allclose(random_model.predict_ratings(part, candidates), stars[rows], atol=1e-5)


def test_ratings_of_several_movies_are_those_of_each_alone(
    random_model: TrainedModel, inputs: QueryInputs
) -> None:
    stars = random_model.predict_ratings(inputs, CANDIDATES)
    assert stars.shape == (4, 4)
    for column in range(4):
        alone = random_model.predict_ratings(inputs, CANDIDATES[:, [column]])
        np.testing.assert_allclose(alone[:, 0], stars[:, column], atol=1e-5)
    different = np.array([[0, 1], [2, 3], [4, 5], [6, 7]], np.int32)
    one_by_one = [
        random_model.predict_ratings(rows_of(inputs, slice(at, at + 1)), different[[at]])[0]
        for at in range(4)
    ]
    np.testing.assert_allclose(random_model.predict_ratings(inputs, different), one_by_one, atol=1e-5)


def test_no_movies_get_no_ratings(random_model: TrainedModel, inputs: QueryInputs) -> None:
    assert random_model.predict_ratings(inputs, np.zeros((4, 0), np.int32)).shape == (4, 0)


def test_ratings_stay_on_the_scale_however_large_the_weights(make_model: MakeModel) -> None:
    model = make_model()
    model.model.rating_task._movie_bias.assign(np.linspace(-50, 50, 85))
    nobody = model.histories.query_inputs(np.array([NO_ROW], np.int32), 1)
    stars = model.predict_ratings(nobody, np.arange(85, dtype=np.int32)[None])
    assert (stars.min(), stars.max()) == (0.5, 5.0)


def test_inputs_of_no_width_at_all_are_a_history_of_nothing(
    random_model: TrainedModel, inputs: QueryInputs
) -> None:
    nobody = rows_of(inputs, slice(3, 4))
    narrow = {
        name: values[:, :0] if name.startswith("history") else values for name, values in nobody.items()
    }
    np.testing.assert_array_equal(random_model.embed_queries(narrow), random_model.embed_queries(nobody))


def test_what_was_rated_counts_not_only_what_was_seen(
    random_model: TrainedModel, inputs: QueryInputs
) -> None:
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
    batch: dict[str, Any] = next(ExampleSampler(model.histories, 85, model.config).batches())
    losses = model.model(_batch(model))
    names = ("user_rows", "timestamps", "history_rows", "history_ratings", "history_timestamps")
    inputs: QueryInputs = {name: batch[name] for name in names}
    logits = (model.embed_queries(inputs) @ model.embed_candidates().T).astype(np.float64)
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
    batch = next(ExampleSampler(model.histories, 85, model.config).batches())
    return {name: tf.constant(values) for name, values in batch.items()}
