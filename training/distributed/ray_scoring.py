"""Score parts of users by actors of Ray Data, each of which holds the bundle."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
from numpy.typing import NDArray
from ray.exceptions import RayError

from training.errors import ClusterError
from training.scoring.list_scorer import ListScorer
from training.scoring.lists_table import Table, from_bytes, to_bytes
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringPlan, UserRows, scored_table


@dataclass(frozen=True)
class RayActors:
    """Scores parts on a cluster; a `ScoreParts`. Ray is connected, see `ray_cluster`.

    Attributes:
        directory: Of the bundle, the same path on every machine.
        plan: Of the run.
        count: How many actors.
    """

    directory: Path
    plan: ScoringPlan
    count: int

    def __call__(self, parts: dict[int, UserRows], keep: Callable[[int, Table], None]) -> Generator[Table]:
        """See `ScoreParts`.

        Raises:
            ClusterError: An actor failed, or the cluster was lost.
        """
        if not parts:
            return
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        numbers = ray.data.from_items([*parts], override_num_blocks=len(parts))
        scored = numbers.map_batches(
            _Actor,
            fn_constructor_args=(self.directory, self.plan, parts),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=self.count),
            num_cpus=_processors_each(self.count),
        )
        try:
            for row in scored.iter_rows():
                table = from_bytes(row["table"])
                keep(int(row["number"]), table)
                yield table
        except RayError as error:
            raise ClusterError(
                f"scoring on the Ray cluster failed: {_last_line(error)}; every machine needs the bundle at "
                f"{self.directory}; finished parts are kept, the same command goes on from them"
            ) from error


class _Actor:
    """Holds the bundle, and scores one part after another."""

    def __init__(self, directory: Path, plan: ScoringPlan, parts: dict[int, UserRows]) -> None:
        # The driver has verified it.
        self._bundle = ScoredBundle.open(directory, verify=False)
        self._scorer = ListScorer(self._bundle, k=plan.k, exclude_seen=plan.exclude_seen)
        self._parts = parts

    def __call__(self, batch: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        [number] = batch["item"].tolist()
        table = scored_table(self._scorer, self._bundle, self._parts[number])
        # As bytes: a block of Ray Data has other types for some columns.
        return {"number": np.array([number]), "table": np.array([to_bytes(table)], object)}


def _processors_each(count: int) -> float:
    """So that all actors fit at once, and tasks beside them: actors that do not fit would wait for ever."""
    available = float(ray.cluster_resources().get("CPU", 1))
    return min(1.0, available / (count + 1))


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
