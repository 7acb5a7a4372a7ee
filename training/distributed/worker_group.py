"""How to train on several machines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RUNS_DIRECTORY = "runs"
"""Directory within the artifacts for trainings that have not ended; the service does not read it."""


@dataclass(frozen=True, kw_only=True)
class WorkerGroup:
    """Workers of a training.

    Attributes:
        count: Workers; as many as processors of the cluster where each has one.
        address: Of the cluster, see `ray_cluster`.
        processors: Of each worker.
        runs: Directory of `TrainingRun`s; on every machine the same.
        checkpoint_every_seconds: Time between two checkpoints, at least.
    """

    count: int
    address: str | None = None
    processors: int = 1
    runs: Path
    checkpoint_every_seconds: float = 30.0
