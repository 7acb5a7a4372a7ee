"""Train on the one part of the training rows until the other is no longer predicted better."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from training.config import TrainingConfig
from training.evaluation.held_out import HeldOut
from training.evaluation.held_out_users import number_of_users
from training.evaluation.split_evaluation import sample_users
from training.evaluation.validation import Validation
from training.evaluation.validation_quality import VALIDATION_MEASURES, quality
from training.model.epoch_record import OnEpoch
from training.model.fitting import fit_model

VALIDATIONS = 8
"""About so many validations in all the epochs that a training may take."""

_PATIENCE = 2
_ALIKE = 0.005  # in the sum of logs
_MOST_SCORES = 2**28  # users x candidates, for each of up to five shares of what was learned
_USERS = 300, 2_000

GiveUp = Callable[[int, float], bool]
"""Of the number of a validation, from 1, and its quality, whether to end the training at once."""


@dataclass(frozen=True)
class ValidatedFit:
    """What the validations of a training found.

    Attributes:
        epochs: As many as the training was allowed.
        validation: The epochs that were validated as `epoch`, from 1, and the figures found, by name.
        best: The validation whose quality was best, from 0; with ratings the last one within half a percent.
        quality: Of that validation.
    """

    epochs: int
    validation: Mapping[str, list[float]]
    best: int
    quality: float

    @property
    def share(self) -> float:
        """Share of the epochs after which validation was best; above 0, at most 1."""
        return self.validation["epoch"][self.best] / self.epochs

    @property
    def figures(self) -> dict[str, float]:
        """The figures of the best validation."""
        return {
            name: self.validation[name][self.best] for name in VALIDATION_MEASURES if name in self.validation
        }

    @property
    def retrieval_share(self) -> float:
        """How much of what training taught both towers is to be kept."""
        return self.validation["retrieval_share"][self.best]

    @property
    def rating_share(self) -> float:
        """How much of what training taught the rating task is to be kept; 1 without ratings."""
        return self.validation["rating_share"][self.best] if "rating_share" in self.validation else 1.0


def fit_while_better(
    held_out: HeldOut,
    config: TrainingConfig,
    on_epoch: OnEpoch | None = None,
    *,
    measures: Collection[str] = VALIDATION_MEASURES,
    give_up: GiveUp | None = None,
    most_unkept: int = VALIDATIONS,
) -> ValidatedFit:
    """Train, validate about `VALIDATIONS` times, and end after two validations without improvement.

    Args:
        held_out: Rows to train on, and rows to validate on, of which those of 2,000 users are taken, of fewer
            where there are many candidates.
        config: Adapted to the rows to train on.
        on_epoch: Called after every epoch.
        measures: What counts, see `quality`.
        give_up: Asked after every validation.
        most_unkept: End too after so many validations if none of them would keep what the towers learned.
    """
    scores: list[float] = []
    kept: list[float] = []

    def is_past_best(figures: dict[str, float]) -> bool:
        scores.append(quality(figures, measures))
        kept.append(figures["retrieval_share"])
        given_up = give_up is not None and give_up(len(scores), scores[-1])
        is_unkept = len(kept) >= most_unkept and not any(kept)
        return given_up or is_unkept or len(scores) - 1 - int(np.argmax(scores)) >= _PATIENCE

    users = number_of_users(_MOST_SCORES, _USERS, held_out.test.num_movies)
    trained = fit_model(
        held_out.train,
        config,
        on_epoch,
        Validation(sample_users(held_out.test, users), measures),
        validated_every=-(-config.epochs // VALIDATIONS),
        stop=is_past_best,
    )
    best = int(np.argmax(scores))
    if "rmse" in trained.validation:  # ratings gain for longer than retrieval
        best = int(np.flatnonzero(np.array(scores) >= scores[best] - _ALIKE)[-1])
    return ValidatedFit(config.epochs, trained.validation, best, scores[best])
