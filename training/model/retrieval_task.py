"""The retrieval task: which movie comes next."""

from __future__ import annotations

import keras
import tensorflow as tf


class RetrievalTask(keras.layers.Layer):
    """Softmax cross-entropy over the batch's candidate columns (Covington et al. 2016, Yi et al. 2019).

    Other movies of the same user are neither targets nor negatives: their logits are masked. Where the
    columns are a sample, the log of each one's sampling probability is subtracted from its logit (logQ).
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
            pairs: int32 `[T, 2]`, (query, column) of each target.
            weights: float32 `[T]`.
            masked_pairs: int32 `[M, 2]`, (query, column).
        """
        logits = tf.matmul(queries, candidates, transpose_b=True) - log_sampling
        if trend is not None:
            logits += trend
        mask = tf.scatter_nd(masked_pairs, tf.ones(tf.shape(masked_pairs)[:1]), tf.shape(logits))
        log_probability = tf.nn.log_softmax(tf.where(mask > 0, logits.dtype.min / 2, logits))
        return -tf.reduce_sum(weights * tf.gather_nd(log_probability, pairs))
