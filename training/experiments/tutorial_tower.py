"""The tutorials' towers: embedded features side by side, then dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from service.bundle import NO_ROW
from training.model.layers import DenseStack


def uniform_initializer() -> keras.initializers.Initializer:
    """Make Keras's default for embeddings, which draws other values in each table."""
    return keras.initializers.RandomUniform(-0.05, 0.05, seed=keras.random.SeedGenerator())


class EmbeddingWithUnknown(keras.layers.Layer):
    """An embedding per row, float32 `[n, dimension]`, and one for all unknown rows, `NO_ROW`."""

    def __init__(self, size: int, dimension: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table = self.add_weight(
            name="table", shape=(size + 1, dimension), initializer=uniform_initializer()
        )

    def call(self, rows: tf.Tensor) -> tf.Tensor:
        """Look up int32 `[n]`; the first row of the table is that of the unknown."""
        return tf.gather(self.table.value, rows - NO_ROW)


class TutorialTower(keras.layers.Layer):
    """Concatenated features, then dense layers.

    Args:
        features: Each the name of an input and the layer that embeds it, float32 `[n, width]`.
        widths: Of the dense layers, see `DenseStack`.
    """

    def __init__(
        self, features: Sequence[tuple[str, keras.layers.Layer]], widths: tuple[int, ...], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._inputs = [name for name, _ in features]
        self._embeddings = [layer for _, layer in features]
        self._stack = DenseStack(widths)

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Embed `n` users or titles, given inputs by name, to float32 `[n, width]`."""
        embedded = [layer(inputs[name]) for name, layer in zip(self._inputs, self._embeddings, strict=True)]
        return self._stack(tf.concat(embedded, axis=1))
