import numpy as np
import pytest
import tensorflow as tf

from training.model.trained_model import TrainedModel


def test_candidate_embeddings_and_movie_biases_are_computed_once_and_cannot_be_changed(
    random_model: TrainedModel,
) -> None:
    for name, expected in (
        ("candidate_embeddings", random_model.model.candidate_tower(tf.range(85))),
        ("movie_biases", random_model.model.rating_task.movie_bias(tf.range(85))),
    ):
        values = getattr(random_model, name)
        np.testing.assert_array_equal(values, expected.numpy())
        assert getattr(random_model, name) is values
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
