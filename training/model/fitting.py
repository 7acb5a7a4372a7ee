"""Train the model on every row of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import NamedTuple

import keras
import tensorflow as tf

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.errors import DataError
from training.model.adaptation import adapt
from training.model.allocator import choose_allocator
from training.model.batch_stream import BatchStream
from training.model.epoch_record import VALIDATED_EVERY, EpochRecord, OnEpoch, Stop, Validate
from training.model.examples import Batch, ExampleSampler
from training.model.histories import Histories
from training.model.optimizer import TableAdamW
from training.model.trained_model import TrainedModel, as_tensors
from training.model.two_tower_model import TwoTowerModel
from training.model.variable_memory import free, free_unowned, own
from training.model.vocabulary import Vocabulary, build_vocabulary
from training.model.warm_start import WarmStart

_MAX_STEPS_PER_CALL = 32


class PreparedFit(NamedTuple):
    """A model with its first weights, and all that trains it.

    Attributes:
        trained: The model, compiled.
        sampler: Has packed `first`; its next batch is the first that is trained on.
        first: A batch, of whose kind all are.
        steps: In an epoch.
    """

    trained: TrainedModel
    sampler: ExampleSampler
    first: Batch
    steps: int

    def run(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        *,
        epochs_done: int = 0,
        share: Callable[[Batch], Batch] = lambda batch: batch,
    ) -> None:
        """Train to the last epoch.

        Args:
            callbacks: Keras's.
            epochs_done: How many a former run ended with these weights; their batches are drawn again.
            share: What to train on of every batch.
        """
        batches = islice(self.sampler.batches(), epochs_done * self.steps, None)
        with closing(BatchStream(map(share, batches), self.first)) as stream:
            self.trained.model.fit(
                stream.dataset(),
                initial_epoch=epochs_done,
                epochs=self.trained.config.epochs,
                steps_per_epoch=self.steps,
                callbacks=list(callbacks),
                verbose=0,
                shuffle=False,
            )

    def finish(self) -> TrainedModel:
        """Return the model, without moments, with the shares that it is to keep of what it learned."""
        config, model = self.trained.config, self.trained.model
        model.keep_shares(retrieval=config.retrieval_share, rating=config.rating_share)
        model.include_added_factors()
        moments = model.optimizer.variables  # twice the memory of the tables
        model.compile(optimizer="sgd")
        free(moments)
        return self.trained


def fit_model(
    table: RatingsTable,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    validate: Validate | None = None,
    *,
    validated_every: int = VALIDATED_EVERY,
    stop: Stop | None = None,
    warm: WarmStart | None = None,
) -> TrainedModel:
    """Train on every row; the same table and configuration give the same model, validated or not.

    Args:
        table: Ratings to train on.
        config: Hyper-parameters, adapted to the table first; the model's `config` are those.
        on_epoch: Called after every epoch.
        validate: Its figures are reported and kept; without `stop` they choose nothing.
        validated_every: Epochs from one validation to the next.
        stop: Whether to end the training after a validation.
        warm: What to begin with, beside what any training begins with.

    Raises:
        DataError: There are fewer than two ratings.
        TrainingDiverged: A loss was no longer a finite number.
    """
    fit = prepare_fit(table, config, warm=warm)
    fit.run([EpochRecord(fit.trained, on_epoch, validate, validated_every, stop)])
    return fit.finish()


def prepare_fit(
    table: RatingsTable,
    config: TrainingConfig,
    make_model: Callable[[Vocabulary, TrainingConfig], TwoTowerModel] = TwoTowerModel,
    warm: WarmStart | None = None,
) -> PreparedFit:
    """Build the model of a table and what trains it; the same arguments give the same weights.

    Args:
        table: Ratings to train on.
        config: Hyper-parameters, adapted to the table first; the model's `config` are those.
        make_model: Called with the vocabulary and the configuration.
        warm: What to begin with, beside what any training begins with.

    Raises:
        DataError: There are fewer than two ratings.
    """
    if len(table) < 2:
        raise DataError(f"{table.name}: expected at least 2 ratings to train on, got {len(table)}")
    config = adapt(config, table)
    choose_allocator(4 * config.embedding_dimension * table.num_movies)
    free_unowned()  # a former model has as much as this one will need
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    histories = Histories.from_table(table)
    vocabulary = build_vocabulary(table, histories, config)
    movie_ids = table.movies.movie_ids
    if warm is not None:
        vocabulary = warm.turned(vocabulary, movie_ids)
    sampler = ExampleSampler(histories, config, vocabulary.start.trend)
    model = make_model(vocabulary, config)
    # Several steps in one call save Keras's bookkeeping between them, 40 % of the time at this size. An epoch
    # is a whole number of calls, and so may contain a few users of the next one.
    calls = -(-sampler.batches_per_epoch // _MAX_STEPS_PER_CALL)
    steps_per_call = -(-sampler.batches_per_epoch // calls)
    steps = calls * steps_per_call
    rate = keras.optimizers.schedules.PolynomialDecay(
        config.learning_rate, steps * config.epochs, end_learning_rate=0.0
    )
    optimizer = TableAdamW(rate, weight_decay=config.weight_decay)
    # Build all variables first: else the step that creates them is traced twice, for more than a second.
    first = next(sampler.batches())
    model(as_tensors(first))
    is_frozen = not config.retrieval_weight and not config.retrieval_share
    if is_frozen:  # what the rating task is served with, it is trained with
        model.freeze_towers()
    optimizer.build(model.trainable_variables)
    if warm is not None:
        warm.restore(model, vocabulary, histories, movie_ids)
    if is_frozen:
        model.keep_shares(retrieval=0.0, rating=1.0)
    # XLA would compile again for every total length of the histories.
    model.compile(optimizer=optimizer, jit_compile=False, steps_per_execution=steps_per_call)
    own(model, [*model.variables, *optimizer.variables])
    vocabulary = vocabulary._replace(start=vocabulary.start.without_factors())
    return PreparedFit(TrainedModel(model, vocabulary, histories, config, {}), sampler, first, steps)
