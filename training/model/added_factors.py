"""Factors of movies in columns beside what is learned, which count from the end of training on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.model.history_batch import HistoryBatch
from training.model.layers import build_in_first_call, constant_weight


class AddedFactors(keras.layers.Layer):
    """The sum of a history's factors over the root of its length, float32 `[B, C]`; zeros until included.

    Its product with a candidate's factors is added to what the towers learned, as in an ensemble of both.
    They are not trained with: factors come from all histories, so they know what an example hides. Queries
    with a time get none: what was watched near it is learned, and factors know nothing of it.

    Args:
        factors: float32 `[num_candidates, C]`, of movies that are read.
    """

    def __init__(self, factors: NDArray[np.float32], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._factors = constant_weight(self, "added_factors", factors)
        self._share = constant_weight(self, "added_share", np.zeros((), np.float32))
        build_in_first_call(self)

    def call(self, history: HistoryBatch, timed: tf.Tensor) -> tf.Tensor:
        """Read histories; `timed` is float32 `[B, 1]`, 1 for queries with a time, 0 for those without."""
        factors = tf.gather(self._factors.value, history.movie_rows)
        length = history.sum(tf.ones_like(history.distances))
        pooled = tf.math.divide_no_nan(history.sum(factors), tf.sqrt(length)[:, None])
        return self._share.value * (1 - timed) * pooled

    def include(self) -> None:
        """Count from now on."""
        self._share.assign(1.0)

    @contextmanager
    def included(self) -> Iterator[None]:
        """Count until the context ends."""
        before = self._share.numpy()
        self.include()
        try:
            yield
        finally:
            self._share.assign(before)
