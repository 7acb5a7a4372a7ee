import numpy as np
import pytest
import tensorflow as tf

from training.experiments.in_batch_softmax import in_batch_softmax


def test_a_softmax_over_distinct_columns_is_that_over_all_rows_of_a_batch() -> None:
    random = np.random.default_rng(0)
    queries, movies = random.normal(size=(6, 3)), random.normal(size=(4, 3))
    watched = np.array([2, 0, 2, 3, 2, 0])
    logits = queries @ movies[watched].T
    expected = (np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)).sum()
    columns, targets, counts = np.unique(watched, return_inverse=True, return_counts=True)
    found = in_batch_softmax(
        tf.constant(queries, tf.float32),
        tf.constant(movies[np.append(columns, 1)], tf.float32),  # and one that is not there
        log_counts=tf.constant(np.append(np.log(counts), -1e9), tf.float32),
        targets=tf.constant(targets, tf.int32),
    )
    assert float(found) == pytest.approx(expected, rel=1e-5)
