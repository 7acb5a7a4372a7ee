from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from training.distributed.ray_cluster import ray_cluster
from training.errors import ClusterError
from training.scoring.list_scorer import ListScorer
from training.scoring.scored_bundle import ScoredBundle
from training.scoring.scoring_run import ScoringOutcome, ScoringPlan, Threads, score_users

PLAN = ScoringPlan(k=20, users_per_part=2)

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]


@pytest.fixture(scope="module", autouse=True)
def cluster(ray_address: str) -> Iterator[None]:
    with ray_cluster(ray_address, processors=3):
        yield


def test_rows_and_bytes_are_those_of_one_process(tiny_artifacts: Path, tmp_path: Path) -> None:
    from training.distributed.ray_scoring import RayActors  # noqa: PLC0415  # imports Ray

    bundle = ScoredBundle.open(tiny_artifacts / "tiny-1")
    users = np.arange(len(bundle.histories))
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    score_users(bundle, users, here, PLAN, Threads(ListScorer(bundle, k=20), bundle, 1))
    outcome = score_users(bundle, users, there, PLAN, RayActors(bundle.directory, PLAN, 2))
    assert outcome == ScoringOutcome(num_lists=8, num_rows=160, num_resumed=0, num_parts=4)
    assert there.read_bytes() == here.read_bytes()


def test_a_bundle_that_an_actor_cannot_open_is_an_error(tiny_artifacts: Path, tmp_path: Path) -> None:
    from training.distributed.ray_scoring import RayActors  # noqa: PLC0415 imports Ray

    bundle = ScoredBundle.open(tiny_artifacts / "tiny-1")
    with pytest.raises(ClusterError, match="every machine needs the bundle at /nowhere/tiny-1"):
        score_users(
            bundle, np.arange(8), tmp_path / "x.parquet", PLAN, RayActors(Path("/nowhere/tiny-1"), PLAN, 1)
        )
