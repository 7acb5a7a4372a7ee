"""Choose how long to train, and whether popularity follows time, on a part of the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from training.config import TrainingConfig
from training.data.splits import split_by_name
from training.data.table import RatingsTable
from training.errors import NothingHeldOut
from training.evaluation.held_out import HeldOut, hold_out
from training.evaluation.validated_fit import fit_while_better
from training.model.adaptation import adapt
from training.model.fitting import OnEpoch
from training.model.popularity_trend import fit_trend


@dataclass(frozen=True)
class TrainingLength:
    """What a validation part of the training rows decided.

    Attributes:
        share: Of the epochs that `adapt` allows, after which validation was best; above 0, at most 1.
        use_trend: Whether popularity that follows time predicted the validation rows better.
        validation: The figures by which it was decided, by epoch; empty where nothing could be held out.
    """

    share: float = 1.0
    use_trend: bool = False
    validation: Mapping[str, list[float]] = field(default_factory=dict)

    def apply(self, config: TrainingConfig, table: RatingsTable) -> TrainingConfig:
        """Set epochs and trend for a training on `table`; epochs that were asked for stay as they are."""
        config = replace(config, use_trend=config.use_trend or self.use_trend)
        most = adapt(config, table)
        return most if config.epochs else replace(most, epochs=max(1, round(self.share * most.epochs)))

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self)


def choose_training_length(
    train: RatingsTable, config: TrainingConfig, split: str, on_epoch: OnEpoch | None = None
) -> TrainingLength:
    """Train on a part of the rows, stop when the rest is no longer predicted better, and take the best epoch.

    Better is what has more `quality`. The trend is chosen by the likelihood of the validation rows under
    popularity alone.

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
    use_trend = follows_time(held_out)
    if config.epochs:
        return TrainingLength(use_trend=use_trend)
    adapted = adapt(replace(config, use_trend=use_trend), held_out.train)
    fitted = fit_while_better(held_out, adapted, on_epoch)
    return TrainingLength(fitted.share, use_trend, fitted.validation)


def follows_time(held_out: HeldOut) -> bool:
    """Whether the trend after the last training row predicts held-out rows better than counts do.

    By more than chance: the mean gain in log likelihood is above two standard errors of it.
    """
    train, movies = held_out.train, held_out.test.movie_rows
    if not train.has_times:
        return False
    counts = train.movie_counts + 1.0
    constant = np.log(counts / counts.sum())
    gains = fit_trend(train).now[movies] - constant[movies]
    return bool(gains.mean() > 2 * gains.std() / np.sqrt(len(gains)))
