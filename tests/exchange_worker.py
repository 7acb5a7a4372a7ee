"""One worker of `TF_CONFIG`: sum gradients that are known, then train 40 steps; write what came out.

Run as `python exchange_worker.py DIRECTORY`, once for each worker.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from synthetic_ratings import SMALL_CONFIG, two_clusters

from training.distributed.batch_shares import share_of
from training.distributed.gradient_exchange import GradientExchange
from training.distributed.shared_model import SharedTwoTowerModel
from training.model.epoch_record import EpochRecord
from training.model.fitting import prepare_fit

FORTY_STEPS = replace(SMALL_CONFIG, epochs=5)
"""Of `two_clusters`, eight in an epoch."""


def sums(exchange: GradientExchange, rank: int) -> dict[str, np.ndarray]:
    """Sum a small gradient, a large table's by rows and one that is missing, twice in one graph."""

    def twice(dense: tf.Tensor, rows: tf.Tensor, values: tf.Tensor) -> list[tf.Tensor]:
        found = []
        for factor in tf.unstack(tf.constant([1.0, 10.0])):
            sparse = tf.IndexedSlices(factor * values, rows, tf.constant([50_000, 2]))
            shapes = [tf.TensorShape([3]), tf.TensorShape([50_000, 2]), tf.TensorShape([7])]
            [first, table, missing], losses = exchange.sum(
                [factor * dense, sparse, None], shapes, tf.stack([factor, 1.0])
            )
            assert isinstance(table, tf.IndexedSlices)
            assert missing is None
            found += [first, table.indices, table.values, losses]
        return found

    # Worker r has row 7 twice, row r once, and r rows more.
    rows = np.array([7, rank, 7, *range(100, 100 + rank)], np.int32)
    values = np.full((len(rows), 2), 1 + rank, np.float32)
    found = tf.function(twice)(
        tf.constant([1.0, 2.0, 3.0]) * (rank + 1), tf.constant(rows), tf.constant(values)
    )
    names = ("dense", "rows", "values", "losses", "dense_10", "rows_10", "values_10", "losses_10")
    return dict(zip(names, (each.numpy() for each in found), strict=True))


def main(directory: Path) -> None:
    # Every table of this small model is exchanged by rows.
    exchange = GradientExchange.from_environment(gathered_from=1)
    found = sums(GradientExchange(exchange.rank, exchange.workers), exchange.rank)
    kept = tf.Variable([float(exchange.rank), 5.0])
    exchange.set_to_first([kept])
    fit = prepare_fit(two_clusters(), FORTY_STEPS, partial(SharedTwoTowerModel, exchange=exchange))
    share = partial(share_of, rank=exchange.rank, workers=exchange.workers)
    fit.run([EpochRecord(fit.trained, None, None, 5, None)], share=share)
    weights = {
        f"weight_{at:03}": each.numpy() for at, each in enumerate(fit.trained.model.trainable_variables)
    }
    losses = {f"loss_{name}": np.array(values) for name, values in fit.trained.losses.items()}
    results: dict[str, Any] = {"kept": kept.numpy(), **found, **weights, **losses}
    np.savez(directory / f"{exchange.rank}.npz", **results)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
