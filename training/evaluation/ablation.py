"""Ablation: the configurations that switch one part of the model off."""

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
"""The hyper-parameters that each row of the ablation changes, by name of the row."""


def ablations(config: TrainingConfig) -> Iterator[tuple[str, TrainingConfig]]:
    """Yield each row's name and configuration; rows that change nothing are left out, except the first.

    Raises:
        ConfigurationError: A row is not valid for this configuration, as for one with a single task.
    """
    for name, changes in WITHOUT.items():
        changed = replace(config, **changes)
        if name == "joint" or changed != config:
            yield name, changed
