"""The tutorials' retrieval loss: softmax over the movies of a batch."""

from __future__ import annotations

import tensorflow as tf


def in_batch_softmax(
    queries: tf.Tensor, candidates: tf.Tensor, *, log_counts: tf.Tensor, targets: tf.Tensor
) -> tf.Tensor:
    """Compute the summed cross-entropy of queries with one target each, nothing masked.

    In the tutorials a movie that the batch has c times is c columns. Here it is one column that counts
    c-fold, which is the same loss with fewer columns.

    Args:
        queries: float32 `[B, D]`.
        candidates: float32 `[K, D]`.
        log_counts: float32 `[K]`, log of the number of equal columns that each one stands for.
        targets: int32 `[B]`, columns; the target is one of the equal columns.

    Returns:
        A scalar.
    """
    logits = tf.matmul(queries, candidates, transpose_b=True) + log_counts
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    return tf.reduce_sum(losses + tf.gather(log_counts, targets))
