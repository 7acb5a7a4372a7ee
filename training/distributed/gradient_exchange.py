"""Sum gradients over workers inside a training step, by TensorFlow's own collectives."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import count
from typing import Any, TypeAlias

import tensorflow as tf

from training.model.optimizer import summed

Gradient: TypeAlias = "tf.Tensor | tf.IndexedSlices | None"

GATHERED_FROM = 20_000
"""Rows from which the touched rows of a table are gathered; a smaller one is summed whole with the rest."""

# All workers run the same collectives in an order that their keys tell apart. A key's shape is fixed.
_SUM, _COUNTS, _FIRST_VALUE, _ROWS = 1, 2, 3, 100_000
_GROUPS = count(1)  # of each exchange, in the order in which every worker makes them
_NO_TOKENS: list[Any] = []


class GradientExchange:
    """Collectives of a group of workers, each in a process of its own.

    One reduction sums all small gradients at once. Of large tables the rows are gathered: first how many each
    worker has, then rows and their gradients in one message, filled up to the next of few sizes.

    Args:
        rank: This worker, from 0.
        workers: How many there are; with one nothing is exchanged.
        gathered_from: See `GATHERED_FROM`.
    """

    def __init__(self, rank: int, workers: int, *, gathered_from: int = GATHERED_FROM) -> None:
        self.rank, self.workers = rank, workers
        self._gathered_from = gathered_from
        self._group = next(_GROUPS)
        self._strategy: tf.distribute.Strategy | None = None

    @classmethod
    def from_environment(cls, **arguments: int) -> GradientExchange:
        """Join the workers of `TF_CONFIG`, waiting for all of them; comes before all else of TensorFlow.

        The strategy starts this worker's server and watches the others', so that one that ended is an error
        in the next collective. It does nothing else: Keras 3 cannot be trained under it.
        """
        cluster = json.loads(os.environ["TF_CONFIG"])
        exchange = cls(cluster["task"]["index"], len(cluster["cluster"]["worker"]), **arguments)
        if exchange.workers > 1:
            exchange._strategy = tf.distribute.MultiWorkerMirroredStrategy()
        return exchange

    def sum(
        self, gradients: Sequence[Gradient], shapes: Sequence[tf.TensorShape], values: tf.Tensor
    ) -> tuple[list[Gradient], tf.Tensor]:
        """Sum over all workers.

        Args:
            gradients: As of a tape, in the same order and of the same kinds on every worker.
            shapes: Of the variables, which are known where those of gradients are not.
            values: float32 `[n]`, what else is to be summed, such as losses.

        Returns:
            The sums, large tables' as `IndexedSlices` of distinct rows, and those of `values`.
        """
        if self.workers == 1:
            return list(gradients), values
        sums: dict[int, Gradient] = {}
        dense, sparse = [], []
        for at, (gradient, shape) in enumerate(zip(gradients, shapes, strict=True)):
            if gradient is None:
                sums[at] = None
            elif isinstance(gradient, tf.IndexedSlices) and shape[0] >= self._gathered_from:
                sparse.append(at)
            else:
                dense.append(at)
        tensors = [tf.ensure_shape(tf.convert_to_tensor(gradients[at]), shapes[at]) for at in dense]
        *reduced, total = self._reduce([*tensors, values])
        sums |= zip(dense, reduced, strict=True)
        tables = [gradients[at] for at in sparse]
        sums |= zip(sparse, self._gather(tables, [shapes[at] for at in sparse]), strict=True)
        return [sums[at] for at in range(len(gradients))], total

    def set_to_first(self, variables: Sequence[tf.Variable]) -> None:
        """Set variables to those of worker 0, in the same order and of the same shapes on every worker."""
        if self.workers == 1:
            return
        about = {"group_size": self.workers, "group_key": self._group}
        for at, variable in enumerate(variables):
            key = _FIRST_VALUE + at
            if self.rank == 0:
                tf.raw_ops.CollectiveBcastSendV2(input=variable, instance_key=key, **about)
            else:
                shape = tf.constant(variable.shape.as_list(), tf.int32)
                sent = tf.raw_ops.CollectiveBcastRecvV2(
                    T=variable.dtype, shape=shape, instance_key=key, **about
                )
                variable.assign(sent)

    def _reduce(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Sum float32 tensors of known shapes in one message."""
        flat = tf.concat([tf.reshape(each, [-1]) for each in tensors], axis=0)
        total = tf.raw_ops.CollectiveReduceV2(
            input=flat,
            group_size=self.workers,
            group_key=self._group,
            instance_key=_SUM,
            ordering_token=_NO_TOKENS,
            merge_op="Add",
            final_op="Id",
        )
        parts = tf.split(total, [each.shape.num_elements() for each in tensors])
        return [tf.reshape(part, each.shape) for part, each in zip(parts, tensors, strict=True)]

    def _gather(
        self, tables: Sequence[tf.IndexedSlices], shapes: Sequence[tf.TensorShape]
    ) -> list[tf.IndexedSlices]:
        """Sum sparse gradients of tables of these shapes."""
        if not tables:
            return []
        mine = [summed(each) for each in tables]
        widths = [shape[1:].num_elements() for shape in shapes]
        counts = tf.stack([tf.size(each.indices) for each in mine])
        counts = tf.reshape(self._all_gather(counts, _COUNTS), [self.workers, len(tables)])
        # Of each worker: rows of the first table, their values, rows of the second... and what fills up.
        sizes = counts[:, :, None] * tf.constant([[1, width] for width in widths])
        sizes = tf.reshape(sizes, [self.workers, 2 * len(tables)])
        totals = tf.reduce_sum(sizes, axis=1, keepdims=True)
        length = _rounded_up(tf.reduce_max(totals))
        sizes = tf.concat([sizes, length - totals], axis=1)
        # Row numbers go as bits of a float, so that one message has both.
        flat = [part for each in mine for part in (tf.bitcast(each.indices, tf.float32), each.values)]
        message = tf.concat([tf.reshape(part, [-1]) for part in flat], axis=0)
        message = tf.pad(message, [[0, length - tf.size(message)]])
        messages = tf.reshape(self._all_gather(message, _ROWS + length), [self.workers, length])
        parts = [
            tf.split(messages[worker], sizes[worker], num=2 * len(tables) + 1)
            for worker in range(self.workers)
        ]
        *parts, _ = [tf.concat(of_workers, axis=0) for of_workers in zip(*parts, strict=True)]
        sums = []
        for rows, values, shape in zip(parts[::2], parts[1::2], shapes, strict=True):
            shaped = tf.reshape(values, [-1, *shape[1:]])
            found = tf.IndexedSlices(shaped, tf.bitcast(rows, tf.int32), tf.constant(shape.as_list()))
            sums.append(summed(found))
        return sums

    def _all_gather(self, tensor: tf.Tensor, key: tf.Tensor | int) -> tf.Tensor:
        """One after another, every worker's tensor of the same `[n]`."""
        return tf.raw_ops.CollectiveGatherV2(
            input=tensor,
            group_size=self.workers,
            group_key=self._group,
            instance_key=key,
            ordering_token=_NO_TOKENS,
        )


def _rounded_up(length: tf.Tensor) -> tf.Tensor:
    """Round an int32 up to a multiple of a quarter of the power of two below: at most 25 % more.

    Lengths differ from step to step, and TensorFlow keeps every key, which is one of a length.
    """
    powers = tf.constant([2**power for power in range(31)])
    step = tf.maximum(powers[tf.searchsorted(powers, length[None], side="right")[0] - 1] // 4, 1)
    return (length + step - 1) // step * step
