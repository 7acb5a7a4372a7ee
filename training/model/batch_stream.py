"""Stream batches from Python into TensorFlow, and let go of them afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import tensorflow as tf

from training.model.allocator import keep_freed_blocks
from training.model.examples import Batch


class BatchStream:
    """Batches as a data set, until it is closed.

    TensorFlow never lets go of what a data set was made from: without an end to the stream the histories of
    every model that was trained would stay in memory.

    Args:
        batches: What trains.
        like: A batch, of whose kind all are.
    """

    def __init__(self, batches: Iterator[Batch], like: Batch) -> None:
        self._batches: Iterator[Batch] | None = batches
        self._like = like

    def dataset(self) -> tf.data.Dataset:
        """The batches, prepared while the step before trains."""
        # Every axis but that of pairs varies from batch to batch.
        signature = {
            name: tf.TensorSpec(
                [2 if name.endswith("_pairs") and axis else None for axis in range(value.ndim)], value.dtype
            )
            for name, value in self._like.items()
        }
        batches = tf.data.Dataset.from_generator(lambda: self, output_signature=signature).prefetch(2)
        keep_freed_blocks()
        return batches

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Batch:
        batches = self._batches
        if batches is None:
            raise StopIteration
        return next(batches)

    def close(self) -> None:
        """End the stream, also while another thread still takes a batch of it."""
        self._batches = None
