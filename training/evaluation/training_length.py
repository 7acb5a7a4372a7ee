"""Choose what to begin with and how long to train, on a part of the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.errors import NothingHeldOut
from training.evaluation.held_out import hold_out
from training.evaluation.starting_choice import StartingChoice, choose_starts, has_many_ratings
from training.evaluation.validated_fit import VALIDATIONS, fit_while_better
from training.model.adaptation import adapt
from training.model.epoch_record import OnEpoch

_MOST_UNKEPT = 2


@dataclass(frozen=True)
class TrainingLength:
    """What a validation part of the training rows decided.

    Attributes:
        share: Of the epochs that `adapt` allows, after which validation was best; above 0, at most 1.
        retrieval_share, rating_share: How much of what training taught both tasks is kept.
        start: What training begins with.
        validation: The figures by which it was decided, by epoch; empty where nothing could be held out.
    """

    share: float = 1.0
    retrieval_share: float = 1.0
    rating_share: float = 1.0
    start: StartingChoice = field(default_factory=StartingChoice)
    validation: Mapping[str, list[float]] = field(default_factory=dict)

    def apply(self, config: TrainingConfig, table: RatingsTable) -> TrainingConfig:
        """Set these for a training on `table`; what was asked for stays as it is.

        Of what is not kept nothing is trained.
        """
        config = replace(
            self.start.apply(config),
            retrieval_share=min(config.retrieval_share, self.retrieval_share),
            rating_share=min(config.rating_share, self.rating_share),
        )
        most = adapt(config, table)
        if most.retrieval_share == 0 and most.rating_weight:
            most = replace(most, retrieval_weight=0.0)
        is_trained = most.rating_weight or most.retrieval_share
        epochs = max(1, round(self.share * most.epochs)) if is_trained else 1
        return most if config.epochs else replace(most, epochs=epochs)

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> TrainingLength:
        """Read what `to_document` wrote."""
        return cls(**{**document, "start": StartingChoice(**document["start"])})


def choose_training_length(
    train: RatingsTable, config: TrainingConfig, split: str, on_epoch: OnEpoch | None = None
) -> TrainingLength:
    """Train on a part of the rows, stop when the rest is no longer predicted better, and take the best epoch.

    From each of `choose_starts`, of which the better one is taken.

    Better is what has more `quality`. Of many ratings, of which an epoch takes minutes, two validations that
    keep nothing of what the towers learned are enough: the rest is tried with the rating task alone.

    Args:
        train: Training rows; no test row is among them.
        config: Its `epochs` other than 0 are taken as they are, and nothing is trained.
        split: How the test rows were held out, and the validation rows are.
        on_epoch: Called after every epoch.
    """
    try:
        held_out = hold_out(train, split_by_name(train, split))
    except NothingHeldOut:
        return TrainingLength()
    starts = choose_starts(held_out, adapt(config, held_out.train))
    if config.epochs:
        return TrainingLength(start=starts[0])
    is_large = has_many_ratings(held_out.train)
    most_unkept = _MOST_UNKEPT if is_large else VALIDATIONS
    tried = []
    for start in starts:
        begun = adapt(start.apply(config), held_out.train)
        fitted = fit_while_better(held_out, begun, on_epoch, most_unkept=most_unkept)
        tried.append((fitted, start, begun))
    fitted, start, begun = max(tried, key=lambda one: one[0].quality)
    if is_large and not fitted.retrieval_share and begun.rating_weight:
        alone = replace(begun, retrieval_weight=0.0, retrieval_share=0.0)
        fitted = fit_while_better(held_out, alone, on_epoch, measures=["rmse"])
    shares = fitted.retrieval_share, fitted.rating_share
    return TrainingLength(fitted.share, *shares, start, fitted.validation)
