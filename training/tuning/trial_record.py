"""What is known of the trials of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

Ending = Literal["complete", "stopped", "diverged", "interrupted"]


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Attributes:
        ending: `complete`: its training ended by itself; `stopped`: it was given up for being worse than
            others at the same epoch; `diverged`: a loss was no finite number.
        quality: Of its best validation; None where it has none.
        figures: Of its best validation, by name.
        share: Of the epochs it might take, those up to its best validation.
        epochs: How many that are of a training on all training rows.
        retrieval_share, rating_share: How much of what it taught both tasks is to be kept.
        seconds: It took.
    """

    ending: Ending
    quality: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    share: float = 1.0
    epochs: int = 0
    retrieval_share: float = 1.0
    rating_share: float = 1.0
    seconds: float = 0.0


@dataclass(frozen=True)
class TrialRecord:
    """A trial that has ended.

    Attributes:
        number: From 0; numbers of interrupted trials are not used again.
        parameters: Values of the searched hyper-parameters, by name.
        is_default: Whether they are those that the search began with.
        outcome: What it found.
        curve: The quality at each of its validations.
    """

    number: int
    parameters: Mapping[str, Any]
    is_default: bool
    outcome: Outcome
    curve: Sequence[float] = ()


@dataclass(frozen=True)
class Trials:
    """The trials of a study.

    Attributes:
        records: In the order of their numbers, interrupted ones too.
        importances: How much of the differences in quality each hyper-parameter explains, by name, in sum 1,
            the largest first; empty where there are too few trials to say.
    """

    records: Sequence[TrialRecord]
    importances: Mapping[str, float] = field(default_factory=dict)

    @property
    def complete(self) -> list[TrialRecord]:
        """Trials that trained to their end, the best first."""
        complete = [one for one in self.records if one.outcome.ending == "complete"]
        return sorted(complete, key=lambda one: -(one.outcome.quality or 0.0))

    @property
    def ended(self) -> list[TrialRecord]:
        """All but the interrupted ones."""
        return [one for one in self.records if one.outcome.ending != "interrupted"]

    @property
    def default(self) -> TrialRecord | None:
        """The trial of the defaults, if it is complete."""
        return next((one for one in self.complete if one.is_default), None)

    def count(self, ending: Ending) -> int:
        """Count the trials that ended so."""
        return sum(one.outcome.ending == ending for one in self.records)

    def gain(self, quality: float | None) -> float | None:
        """By which share a quality is above that of the defaults; None where one of them is unknown."""
        if quality is None or self.default is None or self.default.outcome.quality is None:
            return None
        return float(np.expm1(quality - self.default.outcome.quality))
