"""Train a tutorial's model, one graph call per epoch, with validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.errors import TrainingDiverged
from training.evaluation.metrics import HitRate, Ranks, RootMeanSquaredError, ranks
from training.experiments.rating_rows import Epoch, RatingRows, TutorialData
from training.experiments.titles import Titles
from training.experiments.tutorial_model import TutorialModel

VALIDATION_EPOCHS = 5
"""Epochs between two validations, as published."""

_ROWS_AT_ONCE = 4_096

OnEpoch = Callable[[int, float, dict[str, float] | None], None]
"""Called after each epoch with its number, from 1, its loss per row, and its measures if it was validated."""


@dataclass(frozen=True, eq=False)
class FittedTutorial:
    """A trained model with its losses, measures and times.

    Attributes:
        losses: The weighted loss per row of each epoch.
        validated: Measures on the test rows by epoch; the last is the final one.
        train_seconds: Of training without validation, with the first epoch's compilation.
        rows_per_second: Training rows per second, median over the epochs after the first.
    """

    model: TutorialModel
    losses: list[float]
    validated: dict[int, dict[str, float]]
    train_seconds: float
    rows_per_second: float

    @property
    def final(self) -> dict[str, float]:
        """The measures after the last epoch."""
        return self.validated[max(self.validated)]

    def rate(self, user_row: int, candidate_row: int) -> float:
        """Predict stars, not clipped, by a model whose queries consist of the user id."""
        query = self.model.query_tower({"user_rows": tf.constant([user_row])})
        candidate = self.model.candidate_tower({"candidate_rows": tf.constant([candidate_row])})
        return float(self.model.rate(query, candidate)[0])

    def to_document(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "losses": self.losses,
            "validated": {str(epoch): measures for epoch, measures in self.validated.items()},
            "train_seconds": round(self.train_seconds, 2),
            "rows_per_second": round(self.rows_per_second),
        }


class EpochGraph:
    """Trains an epoch in one call: the loop over its batches is part of the graph, each step compiled."""

    def __init__(self, model: TutorialModel, learning_rate: float) -> None:
        self._model = model
        self._optimizer = keras.optimizers.Adagrad(learning_rate)
        self._optimizer.build(model.trainable_variables)

    def train(self, epoch: Epoch) -> float:
        """Train on every batch in turn; return the loss per row."""
        total = self._train(
            {name: tf.constant(values) for name, values in epoch.columns.items()},
            tf.constant(epoch.row_starts),
            tf.constant(epoch.candidate_rows),
            tf.constant(epoch.log_counts),
            tf.constant(epoch.column_starts),
        )
        return float(total) / int(epoch.row_starts[-1])

    @tf.function
    def _train(
        self,
        columns: dict[str, tf.Tensor],
        row_starts: tf.Tensor,
        candidate_rows: tf.Tensor,
        log_counts: tf.Tensor,
        column_starts: tf.Tensor,
    ) -> tf.Tensor:
        total = tf.constant(0.0)
        for at in tf.range(tf.size(row_starts) - 1):
            start, end = row_starts[at], row_starts[at + 1]
            first, last = column_starts[at], column_starts[at + 1]
            batch = {name: values[start:end] for name, values in columns.items()}
            batch["candidate_rows"] = candidate_rows[first:last]
            batch["log_counts"] = log_counts[first:last]
            total += self._step(batch)
        return total

    @tf.function(jit_compile=True)
    def _step(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._model.total(self._model(batch))
        variables = self._model.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        # Tables are small: a compiled pass over all rows is faster than scattering into the looked-up ones,
        # and Adagrad does not change rows with a gradient of 0.
        pairs = [
            (tf.convert_to_tensor(gradient), variable)
            for gradient, variable in zip(gradients, variables, strict=True)
            if gradient is not None
        ]
        self._optimizer.apply_gradients(pairs)
        return loss


def fit_tutorial(
    data: TutorialData,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    *,
    reshuffled: bool = True,
    weights: Sequence[NDArray[np.float32]] | None = None,
) -> FittedTutorial:
    """Train with Adagrad at a constant rate on batches of `config.batch_size` ratings.

    Args:
        data: Rows to train and to validate on.
        config: See `TutorialModel`; beside that `epochs`, `batch_size`, `learning_rate` and `seed`.
        on_epoch: Called after every epoch.
        reshuffled: Whether every epoch is shuffled, or only the first, whose batches are then repeated.
        weights: Initial values of the first `trainable_variables`; all are drawn by `config.seed` if None.

    Raises:
        TrainingDiverged: The loss is no longer a finite number.
    """
    keras.utils.set_random_seed(config.seed)
    random = np.random.default_rng(config.seed)
    model = TutorialModel(data.num_users, data.titles, config)
    for variable, value in zip(model.trainable_variables, weights or (), strict=False):
        variable.assign(value)
    graph = EpochGraph(model, config.learning_rate)
    losses, seconds, validated = [], [], {}
    for number in range(1, config.epochs + 1):
        started = time.perf_counter()
        if reshuffled or number == 1:
            epoch = Epoch.shuffled(data.train, config.batch_size, len(data.titles), random)
        loss = graph.train(epoch)
        seconds.append(time.perf_counter() - started)
        if not np.isfinite(loss):
            raise TrainingDiverged(f"loss became {loss} in epoch {number}; lower learning_rate")
        losses.append(loss)
        if number % VALIDATION_EPOCHS == 0 or number == config.epochs:
            validated[number] = validate(model, data.test, data.titles)
        if on_epoch is not None:
            on_epoch(number, loss, validated.get(number))
    return FittedTutorial(
        model, losses, validated, sum(seconds), len(data.train) / float(np.median(seconds[1:] or seconds))
    )


def validate(model: TutorialModel, rows: RatingRows, titles: Titles) -> dict[str, float]:
    """Measure `top_100_accuracy` and `rmse` in stars, not clipped, over `rows`.

    The candidates are all movies, as published: a title of two movies takes two of the hundred places.
    """
    accuracy, error = HitRate(100), RootMeanSquaredError()
    embeddings = model.embed_titles()
    columns = embeddings.numpy().T
    first_movies = np.unique(titles.row_of_movie, return_index=True)[1]
    for part in rows.slices(_ROWS_AT_ONCE):
        queries = model.query_tower({name: tf.constant(values) for name, values in part.queries.items()})
        scores = (queries.numpy() @ columns)[:, titles.row_of_movie]
        places = ranks(scores, first_movies[part.candidate_rows])
        # As in TensorFlow's `in_top_k`: movies of one title tie, in the watched one's favour.
        accuracy.update(Ranks(places.better, np.ones_like(places.tied)))
        stars = model.rate(queries, tf.gather(embeddings, part.candidate_rows))
        error.update(stars.numpy(), part.stars)
    return {"top_100_accuracy": accuracy.result(), "rmse": error.result()}
