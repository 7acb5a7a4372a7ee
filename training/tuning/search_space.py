"""The hyper-parameters that are searched, as data: between which values, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from training.evaluation.held_out import HeldOut

Needed = Literal["ratings", "times", "new users"]
"""What data must have for a hyper-parameter to change what is measured on it."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """One hyper-parameter of `TrainingConfig`.

    Attributes:
        name: Of the field.
        low, high: The least and the largest value.
        reason: Why it is searched, and between these.
        log: Whether ratios matter rather than differences.
        step: Of whole numbers the distance between those that are tried; None: any number is.
        needs: Where one of them is missing, the hyper-parameter stays as it is.
    """

    name: str
    low: float
    high: float
    reason: str
    log: bool = False
    step: int | None = None
    needs: tuple[Needed, ...] = ()

    def to_document(self) -> dict[str, Any]:
        """Convert to JSON values what trials of one study must have in common."""
        return {"name": self.name, "low": self.low, "high": self.high, "log": self.log, "step": self.step}


SEARCH_SPACE = (
    Searched(
        name="learning_rate",
        low=0.0005,
        high=0.02,
        log=True,
        reason="what is right depends on the number of steps, and so on the data",
    ),
    Searched(
        name="weight_decay",
        low=0.3,
        high=10.0,
        log=True,
        reason="sparse data wants more of it, rich data less",
    ),
    Searched(
        name="embedding_dimension",
        low=32,
        high=128,
        step=32,
        reason="richer data carries more; time to train and to answer grows with it, so no further than 128",
    ),
    Searched(
        name="factor_scale",
        low=1.0,
        high=3_000.0,
        log=True,
        reason="how much weight the closed form has beside what is learned",
    ),
    Searched(
        name="popularity_scale",
        low=0.0,
        high=1.0,
        reason="0: a history says all, as in closed groups; 1: popularity counts as it does for everybody",
    ),
    Searched(
        name="user_weight_power",
        low=0.0,
        high=1.0,
        reason="0: users weigh alike, as NDCG counts them; 1: ratings do, as hit rate counts them",
    ),
    Searched(
        name="rating_weight",
        low=0.02,
        high=1.0,
        log=True,
        needs=("ratings",),
        reason="what the two tasks take from each other depends on how noisy the ratings are",
    ),
    Searched(
        name="forward_share",
        low=0.0,
        high=1.0,
        needs=("times",),
        reason="how much the order of a history says of what comes next depends on the kind of data",
    ),
    Searched(
        name="history_dropout",
        low=0.0,
        high=0.95,
        needs=("times",),
        reason="how much of a history can be spared depends on how long histories are",
    ),
    Searched(
        name="user_dropout",
        low=0.0,
        high=0.9,
        needs=("times", "new users"),
        reason="users with many ratings gain from an embedding of their own; new users must be measured too",
    ),
    Searched(
        name="empty_share",
        low=0.0,
        high=0.4,
        needs=("new users",),
        reason="worth as much as there are users without history; unseen where none is measured",
    ),
)
"""Not searched: what validation does not see and would take away, such as `short_share`, which is for
cold-start users with few ratings; what `adapt` and the validation choose; and what only costs time."""


def searched_on(held_out: HeldOut) -> tuple[Searched, ...]:
    """Select the hyper-parameters that change what is measured on these rows."""
    has: dict[Needed, bool] = {
        "ratings": held_out.train.rating_scale is not None,
        "times": held_out.train.has_times,
        "new users": not held_out.has_history.all(),
    }
    return tuple(one for one in SEARCH_SPACE if all(has[needed] for needed in one.needs))
