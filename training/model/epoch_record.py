"""Record, validate and report the epochs of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np

from training.errors import TrainingDiverged
from training.model.trained_model import TrainedModel

OnEpoch = Callable[[int, dict[str, float]], None]
"""Called after each epoch with its number, from 1, and by name its mean losses, the last `learning_rate` and,
if the epoch was validated, its figures as `held_out_...`."""

Validate = Callable[[TrainedModel], dict[str, float]]
"""Measures a model while it is being trained."""

Stop = Callable[[dict[str, float]], bool]
"""Of the figures of a validation, whether training should end."""

VALIDATED_EVERY = 5
"""Epochs from one validation to the next; the last epoch is validated too."""


class EpochRecord(keras.callbacks.Callback):
    """Record and report the figures of each epoch; stop at the first loss that is not finite."""

    def __init__(
        self,
        trained: TrainedModel,
        on_epoch: OnEpoch | None,
        validate: Validate | None,
        validated_every: int,
        stop: Stop | None,
    ) -> None:
        super().__init__()
        self._trained, self._on_epoch, self._validate = trained, on_epoch, validate
        self._validated_every, self._stop = validated_every, stop

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Called by Keras with the epoch's number, from 0."""
        self.model.optimizer.catch_up()
        figures = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in figures.items():
            if not np.isfinite(value):
                raise TrainingDiverged(
                    f"{name} became {value} in epoch {epoch + 1}; lower learning_rate or raise weight_decay"
                )
            self._trained.losses.setdefault(name, []).append(value)
        figures["learning_rate"] = float(self.model.optimizer.learning_rate)
        last = epoch + 1 == self.params["epochs"]
        if self._validate is not None and (last or (epoch + 1) % self._validated_every == 0):
            # A copy, because what a `TrainedModel` has cached is wrong after the next step.
            found = self._validate(replace(self._trained))
            for name, value in {"epoch": epoch + 1, **found}.items():
                self._trained.validation.setdefault(name, []).append(value)
            if self._stop is not None and self._stop(found):
                self.model.stop_training = True
            figures |= {f"held_out_{name}": value for name, value in found.items()}
        if self._on_epoch is not None:
            self._on_epoch(epoch + 1, figures)
