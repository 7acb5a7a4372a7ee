"""Checkpoints of a training: weights, the optimizer's state and the figures of the epochs so far."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from training.model.fitting import PreparedFit

_VALUES, _FIGURES = "values.npz", "figures.json"


def variables_of(fit: PreparedFit) -> list[tf.Variable]:
    """Everything that a training changes or begins with, in a fixed order."""
    model = fit.trained.model
    return [variable.value for variable in [*model.weights, *model.optimizer.variables]]


def write_checkpoint(fit: PreparedFit, epochs_done: int, directory: Path) -> None:
    """Write a checkpoint after an epoch into an empty directory."""
    values = {f"{at:04}": variable.numpy() for at, variable in enumerate(variables_of(fit))}
    np.savez(directory / _VALUES, **values)
    figures = {"epochs_done": epochs_done, "losses": fit.trained.losses, "validation": fit.trained.validation}
    (directory / _FIGURES).write_text(json.dumps(figures), encoding="utf-8")


def restore_checkpoint(fit: PreparedFit, directory: Path) -> int:
    """Set all that `write_checkpoint` wrote, of the same table and configuration.

    Returns:
        How many epochs were done.
    """
    figures = json.loads((directory / _FIGURES).read_text(encoding="utf-8"))
    with np.load(directory / _VALUES, allow_pickle=False) as values:
        for name, variable in zip(sorted(values), variables_of(fit), strict=True):
            variable.assign(values[name])
    for mine, written in (
        (fit.trained.losses, figures["losses"]),
        (fit.trained.validation, figures["validation"]),
    ):
        mine.clear()
        mine.update(written)
    done: int = figures["epochs_done"]
    return done
