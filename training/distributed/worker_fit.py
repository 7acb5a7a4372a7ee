"""What one of several workers does: train on its share of every batch, and report every epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import keras

from training.config import TrainingConfig
from training.data.table_files import open_table
from training.distributed.batch_shares import share_of
from training.distributed.fit_checkpoint import restore_checkpoint, variables_of, write_checkpoint
from training.distributed.gradient_exchange import GradientExchange
from training.distributed.shared_model import SharedTwoTowerModel
from training.model.epoch_record import VALIDATED_EVERY, EpochRecord
from training.model.fitting import PreparedFit, prepare_fit

Report = Callable[[int, dict[str, float], Path | None], None]
"""Called on every worker after each epoch with its number, from 1, its figures and, on the first worker if it
is time, the directory of a checkpoint."""


def fit_share(
    exchange: GradientExchange,
    table: Path,
    config: TrainingConfig,
    *,
    checkpoint: Path | None,
    report: Report,
    checkpoint_every_seconds: float,
) -> None:
    """Train as one of the workers, from the beginning or a checkpoint to the last epoch.

    Args:
        exchange: Of the workers.
        table: What `write_table` wrote.
        config: Hyper-parameters.
        checkpoint: The same on every worker; None: from the beginning.
        report: See there.
        checkpoint_every_seconds: Time between two checkpoints, at least; the last epoch always has one.

    Raises:
        DataError: The table cannot be read or trained on.
        TrainingDiverged: A loss was no longer a finite number.
    """
    model = partial(SharedTwoTowerModel, exchange=exchange)
    fit = prepare_fit(open_table(table), config, model)
    done = 0 if checkpoint is None else restore_checkpoint(fit, checkpoint)
    # Machines of other processors may have come to other last bits, or factors of the other sign.
    exchange.set_to_first(variables_of(fit))
    reporting = _Reporting(fit, exchange.rank == 0, report, checkpoint_every_seconds)
    record = EpochRecord(fit.trained, reporting.keep_figures, None, VALIDATED_EVERY, None)
    fit.run(
        [record, reporting],
        epochs_done=done,
        share=partial(share_of, rank=exchange.rank, workers=exchange.workers),
    )


class _Reporting(keras.callbacks.Callback):
    """Report each epoch's figures, and checkpoints on the first worker; comes after `EpochRecord`."""

    def __init__(self, fit: PreparedFit, is_first: bool, report: Report, every_seconds: float) -> None:
        super().__init__()
        self._fit, self._is_first, self._report = fit, is_first, report
        self._every_seconds, self._written = every_seconds, time.monotonic()
        self._figures: dict[str, float] = {}

    def keep_figures(self, _epoch: int, figures: dict[str, float]) -> None:
        """Keep what `EpochRecord` reports."""
        self._figures = figures

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the epoch's number, from 0."""
        del logs
        is_last = epoch + 1 == self.params["epochs"]
        due = is_last or time.monotonic() - self._written >= self._every_seconds
        if not (self._is_first and due):
            self._report(epoch + 1, self._figures, None)
            return
        with TemporaryDirectory() as directory:
            write_checkpoint(self._fit, epoch + 1, Path(directory))
            self._report(epoch + 1, self._figures, Path(directory))
        self._written = time.monotonic()
