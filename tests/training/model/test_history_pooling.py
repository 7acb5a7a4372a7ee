import numpy as np
import tensorflow as tf

from training.model.history_batch import HistoryBatch
from training.model.history_pooling import HistoryPooling


def test_pooling_divides_by_the_norm_of_the_weights() -> None:
    random = np.random.default_rng(0)
    presence, preference = random.normal(size=(2, 4, 3)).astype(np.float32)
    pooling = HistoryPooling(2.0, 3)
    pooling._projection.assign(random.normal(size=(3, 3)))
    pooling._timed_projection.assign(random.normal(size=(3, 3)))
    history = HistoryBatch(
        queries=tf.constant([0, 0, 0, 2]),
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
