"""What each part of the model is worth: the same training without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from training.config import TrainingConfig

WITHOUT: dict[str, dict[str, Any]] = {
    "joint": {},
    "without history": {"use_history": False},
    "without time": {"time_buckets": 0, "time_dropout": 1.0},
    "without content": {"use_content": False},
    "without user id": {"use_user_id": False},
    "retrieval only": {"rating_weight": 0.0},
    "rating only": {"retrieval_weight": 0.0},
}
"""The hyper-parameters that each row of the ablation changes, by the row's name."""


def ablations(config: TrainingConfig) -> Iterator[tuple[str, TrainingConfig]]:
    """Each row's name and configuration; a row that changes nothing is left out, but for the first.

    Raises:
        ConfigurationError: A row cannot be made of this configuration, as of one that has one task only.
    """
    for name, changes in WITHOUT.items():
        changed = replace(config, **changes)
        if name == "joint" or changed != config:
            yield name, changed
