"""Train on the one part of the training rows until the other is no longer predicted better."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.config import TrainingConfig
from training.data.table import RatingsTable
from training.evaluation.held_out import HeldOut
from training.evaluation.model_answers import ratings_of, scores_of
from training.evaluation.query_evaluation import evaluate_retrieval, predict_rows, squared_errors
from training.evaluation.split_evaluation import sample_users
from training.evaluation.validation_quality import VALIDATION_MEASURES, quality
from training.model.fitting import OnEpoch, fit_model
from training.model.trained_model import TrainedModel

VALIDATIONS = 8
"""About so many validations in all the epochs that a training may take."""

_PATIENCE = 2
_CLEARLY_LESS = 0.003  # of the RMSE
_VALIDATED_USERS = 2_000

GiveUp = Callable[[int, float], bool]
"""Of the number of a validation, from 1, and its quality, whether to end the training at once."""


@dataclass(frozen=True)
class ValidatedFit:
    """What the validations of a training found.

    Attributes:
        epochs: As many as the training was allowed.
        validation: The epochs that were validated as `epoch`, from 1, and the figures found, by name.
        best: The validation whose quality was best, from 0.
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
) -> ValidatedFit:
    """Train, validate about `VALIDATIONS` times, and end after two validations without improvement.

    Args:
        held_out: Rows to train on, and rows to validate on, of which those of 2,000 users are taken.
        config: Adapted to the rows to train on.
        on_epoch: Called after every epoch.
        measures: What counts, see `quality`.
        give_up: Asked after every validation.
    """
    scores: list[float] = []

    def is_past_best(figures: dict[str, float]) -> bool:
        scores.append(quality(figures, measures))
        given_up = give_up is not None and give_up(len(scores), scores[-1])
        return given_up or len(scores) - 1 - int(np.argmax(scores)) >= _PATIENCE

    trained = fit_model(
        held_out.train,
        config,
        on_epoch,
        _Validation(sample_users(held_out.test, _VALIDATED_USERS)),
        validated_every=-(-config.epochs // VALIDATIONS),
        stop=is_past_best,
    )
    best = int(np.argmax(scores))
    return ValidatedFit(config.epochs, trained.validation, best, scores[best])


class _Validation:
    """Measures a model on held-out rows, its ratings as if the best share of what it learned were kept."""

    def __init__(self, test: RatingsTable) -> None:
        self._test = test
        self._of_biases: NDArray[np.float64] | None = None

    def __call__(self, trained: TrainedModel) -> dict[str, float]:
        measures = evaluate_retrieval(scores_of(trained), trained.histories, self._test).measures()
        found = {name: measures[name] for name in VALIDATION_MEASURES if name in measures}
        if trained.vocabulary.rating_scale is None or not self._test.is_rated.any():
            return found
        if self._of_biases is None:
            with trained.model.rating_task.biases_alone():
                self._of_biases = self._predict(replace(trained))
        learned = self._predict(trained) - self._of_biases
        rated = self._test.is_rated
        missing = (self._test.stars - self._of_biases)[rated]
        # The share of least squares, for predictions are about linear in it.
        share = np.dot(missing, learned[rated]) / max(1e-9, np.dot(learned[rated], learned[rated]))
        of_share = {
            share: squared_errors(self._of_biases + share * learned, self._test).measures()["rmse"]
            for share in (1.0, round(float(np.clip(share, 0, 1)), 2))
        }
        share = min(of_share, key=of_share.__getitem__)
        if of_share[share] > (1 - _CLEARLY_LESS) * of_share[1.0]:
            share = 1.0  # more rows, which later trainings have, are overfitted less
        return found | {"rmse": of_share[share], "rating_share": share}

    def _predict(self, trained: TrainedModel) -> NDArray[np.float64]:
        return predict_rows(ratings_of(trained), trained.histories, self._test)
