"""The retrieval task: which movie comes next."""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf


class RetrievalTask(keras.layers.Layer):
    """Softmax cross-entropy over the batch's candidate columns (Covington et al. 2016, Yi et al. 2019).

    Other movies of the same user are neither targets nor negatives: their logits are masked. Where the
    columns are a sample, the log of each one's sampling probability is subtracted from its logit (logQ).

    Every pass over `[B, K]` counts: with large catalogues they are most of a training step.
    """

    def call(
        self,
        queries: tf.Tensor,
        candidates: tf.Tensor,
        *,
        log_sampling: tf.Tensor,
        trend: tf.Tensor | None,
        pairs: tf.Tensor,
        weights: tf.Tensor,
        masked_pairs: tf.Tensor,
    ) -> tf.Tensor:
        """Compute the loss, a scalar.

        Args:
            queries: float32 `[B, D]`.
            candidates: float32 `[K, D]`.
            log_sampling: float32 `[K]`.
            trend: float32 `[B, K]`, log of how popular movies were at the time of each query, against now.
            pairs: int32 `[T, 2]`, (query, column) of each target, each once.
            weights: float32 `[T]`.
            masked_pairs: int32 `[M, 2]`, (query, column).
        """
        queries = tf.concat([queries, tf.ones_like(queries[:, :1])], axis=1)
        candidates = tf.concat([candidates, -log_sampling[:, None]], axis=1)
        logits = tf.matmul(queries, candidates, transpose_b=True)
        if trend is not None:
            logits += trend
        masked = tf.fill(tf.shape(masked_pairs)[:1], logits.dtype.min / 2)
        logits = tf.tensor_scatter_nd_update(logits, masked_pairs, masked)
        return _cross_entropy(logits, pairs, weights)


@tf.custom_gradient
def _cross_entropy(
    logits: tf.Tensor, pairs: tf.Tensor, weights: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, None, None]]]:
    """Weighted sum of -log softmax at pairs; its gradient is sum of a row's weights x softmax - weights."""
    log_probability = tf.nn.log_softmax(logits)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, None, None]:
        of_queries = tf.math.unsorted_segment_sum(weights, pairs[:, 0], tf.shape(logits)[0])
        expected = (upstream * of_queries)[:, None] * tf.exp(log_probability)
        return tf.tensor_scatter_nd_sub(expected, pairs, upstream * weights), None, None

    return -tf.reduce_sum(weights * tf.gather_nd(log_probability, pairs)), gradient
