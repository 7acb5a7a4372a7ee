from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from brute_force_bags import bag
from numpy.typing import NDArray

from training.data.table import RatingsTable
from training.model.trained_model import TrainedModel

MakeModel = Callable[..., TrainedModel]


def popularity(table: RatingsTable) -> NDArray[np.float64]:
    """Log of each movie's number of ratings and one more, about its mean."""
    logs = np.log([1 + np.count_nonzero(table.movie_rows == row) for row in range(table.num_movies)])
    return np.asarray(logs - np.mean(logs))


def test_a_candidate_is_its_id_and_its_content_and_its_popularity_and_a_bias(
    random_model: TrainedModel, train_table: RatingsTable
) -> None:
    tower: Any = random_model.model.candidate_tower
    vocabulary = random_model.vocabulary
    ids, content = tower._ids.numpy(), tower._content.table.numpy()
    bias = tower._bias.numpy() + popularity(train_table)
    rows = [84, 0, 3, 3, 50]
    expected = [[*(ids[row] + bag(vocabulary.candidates, content, row)), bias[row]] for row in rows]
    np.testing.assert_allclose(tower(tf.constant(rows)).numpy(), expected, atol=1e-5)


def test_a_candidate_without_content_is_its_id_and_its_popularity_and_a_bias(
    make_model: MakeModel, train_table: RatingsTable
) -> None:
    tower = make_model(use_content=False).model.candidate_tower
    expected = np.c_[tower._ids.numpy(), tower._bias.numpy() + popularity(train_table)]
    np.testing.assert_allclose(tower(tf.range(85)).numpy(), expected, atol=1e-5)


def test_popularity_is_not_trained_and_so_not_decayed_to_zero(random_model: TrainedModel) -> None:
    tower = random_model.model.candidate_tower
    trained = [variable.name for variable in tower.trainable_variables]
    assert "bias" in trained
    assert "popularity" not in trained


def test_a_movie_without_ratings_shares_the_content_of_others(make_model: MakeModel) -> None:
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
    assert stacked.candidate_embeddings.shape == (85, 6)
    tower: Any = stacked.model.candidate_tower
    first, first_bias, second, second_bias = (weight.numpy() for weight in tower._stack.weights)
    content = tower._content.table.numpy()
    values = tower._ids.numpy()[4] + bag(stacked.vocabulary.candidates, content, 4)
    expected = np.maximum(values @ first + first_bias, 0) @ second + second_bias
    np.testing.assert_allclose(stacked.candidate_embeddings[4, :-1], expected, atol=1e-4)
