"""Trains the model on every row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import DataError, TrainingDiverged
from training.examples import ExampleSampler
from training.features import candidate_content, time_boundaries, user_content
from training.histories import Histories, QueryInputs
from training.model import TwoTowerModel
from training.towers import Vocabulary

_MOST_STEPS_PER_CALL = 32

OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, from 1, and its mean losses by name."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model and the rows it was trained on, asked in numpy.

    Attributes:
        losses: Mean losses of each epoch, by name.
    """

    model: TwoTowerModel
    vocabulary: Vocabulary
    histories: Histories
    config: TrainingConfig
    losses: dict[str, list[float]]

    def embed_queries(self, inputs: QueryInputs) -> NDArray[np.float32]:
        """Query embeddings, float32 `[B, D]`."""
        embeddings: NDArray[np.float32] = self.model.embed_query(_tensors(inputs)).numpy()
        return embeddings

    def embed_candidates(self) -> NDArray[np.float32]:
        """Embeddings of the whole catalogue, float32 `[num_candidates, D]`."""
        rows = tf.range(self.vocabulary.num_candidates)
        embeddings: NDArray[np.float32] = self.model.candidate_tower(rows).numpy()
        return embeddings

    def predict_ratings(self, inputs: QueryInputs, candidate_rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """Stars, float32 `[B, K]`, clipped to the scale, of int32 `[B, K]` movies."""
        tensors = _tensors(inputs) | {"candidate_rows": tf.constant(candidate_rows)}
        ratings: NDArray[np.float32] = self.model.predict_rating(tensors).numpy()
        return ratings


def build_vocabulary(table: RatingsTable, histories: Histories, config: TrainingConfig) -> Vocabulary:
    """Reads from the training rows all that the towers are built on."""
    spread = float(table.stars.std())
    return Vocabulary(
        num_users=len(histories),
        candidates=candidate_content(table.movies, config.max_title_words),
        users=user_content(table.user_features, histories.table_rows),
        boundaries=time_boundaries(table.timestamps, max(1, config.time_buckets)),
        time_range=table.time_range,
        candidate_counts=np.bincount(table.movie_rows, minlength=table.num_movies).astype(np.float32),
        mean_rating=float(table.stars.mean(dtype=np.float64)),
        rating_spread=spread if spread > 0 else 1.0,
        rating_scale=table.rating_scale,
    )


def fit_model(table: RatingsTable, config: TrainingConfig, on_epoch: OnEpoch | None = None) -> TrainedModel:
    """Trains on every row; the same table and configuration give the same model.

    Raises:
        DataError: There is nothing to learn from.
        TrainingDiverged: A loss was no longer a finite number.
    """
    if len(table) < 2:
        raise DataError(f"{table.name}: expected at least 2 ratings to train on, got {len(table)}")
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    sampler = ExampleSampler(histories, vocabulary.num_candidates, config)
    model = TwoTowerModel(vocabulary, config)
    # Several steps in one call spare Keras's bookkeeping between them, 40 % of the time at this size. An
    # epoch is a whole number of calls, and so may show a few users of the next one.
    calls = -(-sampler.batches_per_epoch // _MOST_STEPS_PER_CALL)
    steps_per_call = -(-sampler.batches_per_epoch // calls)
    steps = calls * steps_per_call
    rate = keras.optimizers.schedules.PolynomialDecay(
        config.learning_rate, steps * config.epochs, end_learning_rate=0.0
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    # XLA would compile anew for every width of history.
    model.compile(optimizer=optimizer, jit_compile=False, steps_per_execution=steps_per_call)
    record = _Record(on_epoch)
    model.fit(
        _dataset(sampler),
        epochs=config.epochs,
        steps_per_epoch=steps,
        callbacks=[record],
        verbose=0,
        shuffle=False,
    )
    return TrainedModel(model, vocabulary, histories, config, record.losses)


class _Record(keras.callbacks.Callback):
    """Keeps the losses of each epoch, reports them, and stops at the first that is not finite."""

    def __init__(self, on_epoch: OnEpoch | None) -> None:
        super().__init__()
        self.losses: dict[str, list[float]] = {}
        self._on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the epoch's number, from 0."""
        values = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in values.items():
            if not np.isfinite(value):
                raise TrainingDiverged(
                    f"{name} became {value} in epoch {epoch + 1}; lower learning_rate or raise weight_decay"
                )
            self.losses.setdefault(name, []).append(value)
        if self._on_epoch is not None:
            self._on_epoch(epoch + 1, values)


def _dataset(sampler: ExampleSampler) -> tf.data.Dataset:
    """The sampler's endless batches, made one ahead of the step that trains on them."""
    first = next(sampler.batches())
    # Every axis but that of pairs varies from batch to batch.
    signature = {
        name: tf.TensorSpec(
            [2 if name.endswith("_pairs") and axis else None for axis in range(value.ndim)], value.dtype
        )
        for name, value in first.items()
    }
    return tf.data.Dataset.from_generator(sampler.batches, output_signature=signature).prefetch(2)


def _tensors(inputs: QueryInputs) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in inputs.items()}
