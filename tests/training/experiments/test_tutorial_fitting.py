from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray
from synthetic_ratings import Rating, table_of, two_clusters

from training.config import TrainingConfig
from training.errors import TrainingDiverged
from training.experiments.depth import CONFIG
from training.experiments.rating_rows import Epoch, TutorialData
from training.experiments.tutorial_fitting import EpochGraph, fit_tutorial, validate
from training.experiments.tutorial_model import TutorialModel

SMALL = replace(
    CONFIG,
    embedding_dimension=8,
    time_buckets=10,
    layers=(6, 4),
    rating_layers=(5,),
    batch_size=700,
    epochs=6,
)


@pytest.fixture(scope="module")
def data() -> TutorialData:
    return TutorialData.from_table(two_clusters(), 10)


@pytest.fixture
def _eagerly() -> Iterator[None]:
    """Spares the seconds in which XLA compiles."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def model_of(data: TutorialData, config: TrainingConfig) -> TutorialModel:
    keras.utils.set_random_seed(0)
    model = TutorialModel(data.num_users, data.titles, config)
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(0, 0.5, variable.shape))
    return model


def dense(values: NDArray[Any], stack: Any) -> NDArray[Any]:
    *hidden, last = [(layer.kernel.numpy(), layer.bias.numpy()) for layer in stack._layers_in_order]
    for kernel, bias in hidden:
        values = np.maximum(values @ kernel + bias, 0)
    return np.asarray(values @ last[0] + last[1])


def embedded(model: Any, data: TutorialData) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Queries of the training rows, all candidates, and stars of the training rows, by the definition."""
    users, times, _ = model.query_tower._embeddings
    ids, words = model.candidate_tower._embeddings
    rows = data.train
    query = np.c_[
        users.table.numpy()[1:][rows.user_rows],
        times.table.numpy()[1:][rows.time_rows],
        rows.normalized_times,
    ]
    bags = data.titles.words(10_000)
    mean_words = [
        np.mean([words.table.numpy()[row] for row in bag if row >= 0], axis=0) for bag in bags.rows.tolist()
    ]
    candidate = np.c_[ids.table.numpy()[1:], mean_words]
    queries, candidates = (
        dense(query, model.query_tower._stack),
        dense(candidate, model.candidate_tower._stack),
    )
    stars = dense(np.c_[queries, candidates[rows.candidate_rows]], model.rating_head)[:, 0]
    return queries, candidates, stars


def test_weights_begin_as_keras_2_draws_them(data: TutorialData) -> None:
    """Embeddings uniform from -0.05 to 0.05, kernels uniform as by Glorot and Bengio 2010, no biases."""
    model = TutorialModel(
        data.num_users, data.titles, replace(SMALL, embedding_dimension=64, layers=(64, 32))
    )
    tables = [
        layer.table.numpy()
        for tower in (model.query_tower, model.candidate_tower)
        for layer in tower._embeddings
        if hasattr(layer, "table")
    ]
    assert len(tables) == 4
    for table in tables:
        assert 0.045 < np.abs(table).max() <= 0.05
        assert table.std() == pytest.approx(0.05 / 3**0.5, rel=0.1)
        assert not np.array_equal(table[:2], tables[0][:2]) or table is tables[0]
    for tower in (model.query_tower, model.candidate_tower):
        for layer in tower._stack._layers_in_order:
            limit = (6 / sum(layer.kernel.shape)) ** 0.5
            assert 0.95 * limit < np.abs(layer.kernel.numpy()).max() <= limit
            assert not layer.bias.numpy().any()


@pytest.mark.usefixtures("_eagerly")
def test_training_starts_from_given_weights_and_has_its_order_from_the_seed(data: TutorialData) -> None:
    config = replace(SMALL, epochs=1)
    keras.utils.set_random_seed(5)
    weights = [one.numpy() for one in TutorialModel(data.num_users, data.titles, config).trainable_variables]
    one, same = (fit_tutorial(data, config, weights=weights[:-2]) for _ in range(2))
    other = fit_tutorial(data, replace(config, seed=1), weights=weights[:-2])
    np.testing.assert_array_equal(one.model.query_tower.weights[0], same.model.query_tower.weights[0])
    assert one.losses == same.losses
    assert other.losses != one.losses
    still = fit_tutorial(data, replace(config, learning_rate=1e-30), weights=weights)
    for variable, weight in zip(still.model.trainable_variables, weights, strict=True):
        np.testing.assert_allclose(variable.numpy(), weight, atol=1e-20)


@pytest.mark.parametrize(("rating_weight", "retrieval_weight"), [(0.5, 2.0), (0.0, 1.0), (1.0, 0.0)])
@pytest.mark.usefixtures("_eagerly")
def test_the_loss_of_an_epoch_is_that_of_the_tutorials(
    data: TutorialData, rating_weight: float, retrieval_weight: float
) -> None:
    """In numpy: one column per row of the batch, however often a title is among them."""
    config = replace(SMALL, rating_weight=rating_weight, retrieval_weight=retrieval_weight)
    model = model_of(data, config)
    queries, candidates, stars = embedded(model, data)
    epoch = Epoch.shuffled(data.train, config.batch_size, len(data.titles), np.random.default_rng(7))
    order = np.random.default_rng(7).permutation(len(data.train))
    expected = 0.0
    for start in range(0, len(order), config.batch_size):
        rows = order[start : start + config.batch_size]
        logits = queries[rows] @ candidates[data.train.candidate_rows[rows]].T
        log_sum = np.log(np.exp(logits).sum(axis=1))
        errors = stars[rows] - data.train.stars[rows]
        expected += retrieval_weight * (log_sum - np.diag(logits)).sum() + rating_weight * np.mean(errors**2)
    # At a rate of zero every batch meets the same weights.
    assert EpochGraph(model, 0.0).train(epoch) == pytest.approx(expected / len(order), rel=1e-4)


@pytest.mark.usefixtures("_eagerly")
def test_a_step_is_adagrad_on_every_table_and_layer(data: TutorialData) -> None:
    config = replace(SMALL, rating_weight=1.0, batch_size=len(data.train))
    model = model_of(data, config)
    epoch = Epoch.shuffled(data.train, config.batch_size, len(data.titles), np.random.default_rng(0))
    batch = {name: tf.constant(values) for name, values in epoch.columns.items()}
    batch |= {
        "candidate_rows": tf.constant(epoch.candidate_rows),
        "log_counts": tf.constant(epoch.log_counts),
    }
    with tf.GradientTape() as tape:
        loss = model.total(model(batch))
    variables = model.trainable_variables
    gradients = [
        tf.convert_to_tensor(gradient).numpy()
        for gradient in tape.gradient(loss, [variable.value for variable in variables])
    ]
    before = [variable.numpy() for variable in variables]
    EpochGraph(model, 0.1).train(epoch)
    assert len(variables) == 4 + 4 + 4 + 4  # tables, both towers' stacks, the head
    for variable, value, gradient in zip(variables, before, gradients, strict=True):
        # Duchi et al. 2011 with Keras's initial accumulator of 0.1.
        expected = value - 0.1 * gradient / np.sqrt(0.1 + gradient**2)
        np.testing.assert_allclose(variable.numpy(), expected, atol=1e-5)


@pytest.mark.usefixtures("_eagerly")
def test_training_learns_and_validates_every_fifth_epoch_and_the_last(data: TutorialData) -> None:
    reported: list[tuple[int, bool]] = []
    fitted = fit_tutorial(
        data,
        replace(SMALL, epochs=12),
        lambda epoch, _, validated: reported.append((epoch, validated is not None)),
    )
    assert [epoch for epoch, validated in reported if validated] == [5, 10, 12] == list(fitted.validated)
    assert len(reported) == len(fitted.losses) == 12
    assert fitted.losses[-1] < fitted.losses[0] - 0.1
    assert fitted.final == fitted.validated[12]
    again = fit_tutorial(data, replace(SMALL, epochs=12))
    assert again.losses == fitted.losses
    same_batches = fit_tutorial(data, replace(SMALL, epochs=12), reshuffled=False)
    assert same_batches.losses[0] == fitted.losses[0]
    assert same_batches.losses[1] != fitted.losses[1]


@pytest.mark.usefixtures("_eagerly")
def test_a_loss_that_is_no_number_stops_training(data: TutorialData) -> None:
    with pytest.raises(TrainingDiverged, match="epoch 1; lower learning_rate"):
        fit_tutorial(data, replace(SMALL, learning_rate=1e30, epochs=3, batch_size=100))


def test_a_title_of_two_movies_takes_two_of_the_hundred_places() -> None:
    rated: list[Rating] = [
        (f"user {user}", str(movie), 3.0, 100 * user + movie)
        for user in range(20)
        for movie in range(0, 160, 1 + user % 7)
    ]
    titles = [f"Film {movie}" if movie < 80 else f"Remake {movie % 10}" for movie in range(160)]
    table = table_of(rated, [str(movie) for movie in range(160)], titles=titles)
    data = TutorialData.from_table(table, 10)
    model = model_of(data, SMALL)
    test = data.test
    scores = model.query_tower(test.queries).numpy() @ model.embed_titles().numpy().T
    movies_of_title = np.array([1] * 80 + [8] * 10)
    own = scores[np.arange(len(test)), test.candidate_rows]
    better = ((scores > own[:, None]) * movies_of_title).sum(axis=1)
    expected = np.mean(better < 100)
    assert 0 < expected < np.mean((scores > own[:, None]).sum(axis=1) < 100)
    assert validate(model, test, data.titles)["top_100_accuracy"] == pytest.approx(expected)


def test_accuracy_counts_titles_that_score_higher(data: TutorialData) -> None:
    """100 of them and more are too many; here there are only 85 titles, so every row is found."""
    model = model_of(data, SMALL)
    measured = validate(model, data.test, data.titles)
    assert measured["top_100_accuracy"] == 1.0
    test = data.test
    rated = [
        float(
            model.rate(
                model.query_tower({name: values[[at]] for name, values in test.queries.items()}),
                model.embed_titles().numpy()[[test.candidate_rows[at]]],
            )[0]
        )
        for at in range(20)
    ]
    part = test.take(np.arange(20))
    expected = np.sqrt(np.mean((np.array(rated) - part.stars) ** 2))
    assert validate(model, part, data.titles)["rmse"] == pytest.approx(expected, rel=1e-5)
