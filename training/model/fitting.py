"""Trains the model on every row of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import DataError, TrainingDiverged
from training.model.examples import Batch, ExampleSampler
from training.model.features import candidate_content, time_boundaries, user_content
from training.model.histories import Histories, QueryInputs
from training.model.towers import Vocabulary
from training.model.two_tower_model import TwoTowerModel

_MOST_STEPS_PER_CALL = 32

OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, from 1, and by name its mean losses, the `learning_rate` it ended
with and, where the epoch was validated, those figures as `held_out_...`."""

VALIDATED_EVERY = 5
"""Epochs from one validation to the next; the last epoch is validated too."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model and the rows it was trained on, asked in numpy.

    Attributes:
        losses: Mean losses of each epoch, by name.
        validation: The epochs that were validated as `epoch`, from 1, and what was found, by name; empty
            where nothing was.
    """

    model: TwoTowerModel
    vocabulary: Vocabulary
    histories: Histories
    config: TrainingConfig
    losses: dict[str, list[float]]
    validation: dict[str, list[float]] = field(default_factory=dict)

    def embed_queries(self, inputs: QueryInputs) -> NDArray[np.float32]:
        """Query embeddings, float32 `[B, D]`."""
        embeddings: NDArray[np.float32] = self.model.embed_query(_tensors(inputs)).numpy()
        return embeddings

    def embed_candidates(self) -> NDArray[np.float32]:
        """Embeddings of the whole catalogue, float32 `[num_candidates, D]`."""
        rows = tf.range(self.vocabulary.num_candidates)
        embeddings: NDArray[np.float32] = self.model.candidate_tower(rows).numpy()
        return embeddings

    def movie_biases(self) -> NDArray[np.float32]:
        """How far above the mean each movie is rated, float32 `[num_candidates]`, in standard deviations."""
        biases: NDArray[np.float32] = self.model.rating_task.movie_bias(
            tf.range(self.vocabulary.num_candidates)
        ).numpy()
        return biases

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


Validate = Callable[[TrainedModel], dict[str, float]]
"""Measures a model while it is trained."""


def fit_model(
    table: RatingsTable,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    validate: Validate | None = None,
) -> TrainedModel:
    """Trains on every row; the same table and configuration give the same model, validated or not.

    Args:
        table: What to learn.
        config: How.
        on_epoch: Is told how it goes.
        validate: Its figures are shown and kept; nothing is chosen by them.

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
    # Else the first step, which made the variables, would be traced a second time, for more than a second.
    first = next(sampler.batches())
    model(_tensors(first))
    optimizer.build(model.trainable_variables)
    # XLA would compile anew for every width of history.
    model.compile(optimizer=optimizer, jit_compile=False, steps_per_execution=steps_per_call)
    trained = TrainedModel(model, vocabulary, histories, config, {})
    model.fit(
        _dataset(sampler, first),
        epochs=config.epochs,
        steps_per_epoch=steps,
        callbacks=[_Record(trained, on_epoch, validate)],
        verbose=0,
        shuffle=False,
    )
    return trained


class _Record(keras.callbacks.Callback):
    """Keeps the figures of each epoch, reports them, and stops at the first loss that is not finite."""

    def __init__(self, trained: TrainedModel, on_epoch: OnEpoch | None, validate: Validate | None) -> None:
        super().__init__()
        self._trained, self._on_epoch, self._validate = trained, on_epoch, validate

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the epoch's number, from 0."""
        figures = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in figures.items():
            if not np.isfinite(value):
                raise TrainingDiverged(
                    f"{name} became {value} in epoch {epoch + 1}; lower learning_rate or raise weight_decay"
                )
            self._trained.losses.setdefault(name, []).append(value)
        figures["learning_rate"] = float(self.model.optimizer.learning_rate)
        last = epoch + 1 == self.params["epochs"]
        if self._validate is not None and (last or (epoch + 1) % VALIDATED_EVERY == 0):
            found = self._validate(self._trained)
            for name, value in {"epoch": epoch + 1, **found}.items():
                self._trained.validation.setdefault(name, []).append(value)
            figures |= {f"held_out_{name}": value for name, value in found.items()}
        if self._on_epoch is not None:
            self._on_epoch(epoch + 1, figures)


def _dataset(sampler: ExampleSampler, like: Batch) -> tf.data.Dataset:
    """The sampler's endless batches, made one ahead of the step that trains on them."""
    # Every axis but that of pairs varies from batch to batch.
    signature = {
        name: tf.TensorSpec(
            [2 if name.endswith("_pairs") and axis else None for axis in range(value.ndim)], value.dtype
        )
        for name, value in like.items()
    }
    return tf.data.Dataset.from_generator(sampler.batches, output_signature=signature).prefetch(2)


def _tensors(inputs: QueryInputs) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in inputs.items()}
