"""Trainings on Ray nodes on this machine, one of which loses a worker, a node and at last the head."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray_driver
from ray.cluster_utils import Cluster
from ray_driver import EPOCHS
from ray_nodes import ray_nodes
from synthetic_ratings import two_clusters

from training.data.table import RatingsTable
from training.distributed.ray_training import fit_on_workers
from training.distributed.training_run import remove_finished_runs
from training.distributed.worker_group import WorkerGroup
from training.errors import ClusterError, TrainingDiverged
from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(500),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),  # of its own
    # Ray keeps pipes and logs of its processes open until they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def table() -> RatingsTable:
    return two_clusters()


@pytest.fixture
def workers(ray_address: str, tmp_path: Path) -> WorkerGroup:
    return WorkerGroup(count=3, address=ray_address, runs=tmp_path / "runs")


@dataclass(frozen=True)
class Ended:
    """What a training wrote, line by line, and left behind."""

    lines: list[str]
    error: str
    exit_code: int
    runs: Path

    @property
    def epochs(self) -> list[int]:
        return [int(line.removeprefix("epoch ")) for line in self.lines if line.startswith("epoch ")]

    def notes(self, after: int, before: int) -> str:
        """Those between two epochs."""
        start, end = self.lines.index(f"epoch {after}"), self.lines.index(f"epoch {before}")
        return "\n".join(line for line in self.lines[start:end] if line.startswith("note "))


WORKER_DIES, NODE_LEAVES, HEAD_DIES = 4, 7, 16  # after these epochs


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A training of three workers that loses one, then a node, then the head. To start one takes long."""
    runs = tmp_path_factory.mktemp("ended") / "runs"
    program = Path(ray_driver.__file__)
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, (program.parent.parent, program.parent))),
        "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "5",  # of each attempt to place workers: one left
    }
    lines = []
    with ray_nodes((1, 1, 1)) as nodes:
        disturbances = {
            f"epoch {WORKER_DIES}": kill_a_worker,
            f"epoch {NODE_LEAVES}": remove_a_node,
            f"epoch {HEAD_DIES}": kill_the_head,
        }
        driver = subprocess.Popen(
            [sys.executable, program, nodes.address, runs, "3"],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        with driver:
            assert driver.stdout is not None
            for line in driver.stdout:
                lines.append(line.strip())
                if disturb := disturbances.get(lines[-1]):
                    disturb(nodes)
    return Ended(lines[:-1], lines[-1], driver.returncode, runs)


def require_equal(trained: TrainedModel, alone: TrainedModel, tolerance: float) -> None:
    for mine, its in zip(trained.model.trainable_variables, alone.model.trainable_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), its.numpy(), rtol=0, atol=tolerance)
    assert trained.losses.keys() == alone.losses.keys()
    for name, losses in alone.losses.items():
        np.testing.assert_allclose(trained.losses[name], losses, rtol=0, atol=tolerance)


def actors_of(nodes: Iterable[Any], title: str) -> list[int]:
    """Process ids of the actors of nodes, by what `ps` calls them."""
    raylets = {node.all_processes["raylet"][0].process.pid for node in nodes}
    command = ["ps", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [int(pid) for pid, parent, args in lines if int(parent) in raylets and title in args]


def kill_a_worker(cluster: Cluster) -> None:
    os.kill(actors_of(cluster.worker_nodes, "RayTrainWorker")[0], signal.SIGKILL)


def remove_a_node(cluster: Cluster) -> None:
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)


def kill_the_head(cluster: Cluster) -> None:
    """End at once what runs on the machine of the head, but for the command."""
    for pid in actors_of([cluster.head_node], "ray::"):
        os.kill(pid, signal.SIGKILL)
    for processes in cluster.head_node.all_processes.values():
        for each in processes:
            each.process.kill()


def test_a_worker_that_is_killed_is_replaced(ended: Ended) -> None:
    notes = ended.notes(WORKER_DIES, NODE_LEAVES)
    assert "its process or machine died; training goes on from the last checkpoint" in notes
    assert "workers train" not in notes


def test_a_node_that_leaves_for_good_leaves_the_rest_to_train(ended: Ended) -> None:
    notes = ended.notes(NODE_LEAVES, HEAD_DIES)
    assert "training goes on from the last checkpoint" in notes
    assert "2 of 3 workers train" in notes


def test_a_lost_head_is_reported(ended: Ended) -> None:
    assert ended.exit_code == 1
    assert "has not answered for 1 seconds" in ended.error
    assert "the same command goes on from the last checkpoint" in ended.error


def test_a_lost_training_goes_on_on_another_cluster_and_ends_as_that_of_one_process(
    ended: Ended, table: RatingsTable
) -> None:
    resumed: list[int] = []

    def on_epoch(epoch: int, figures: dict[str, float]) -> None:
        assert set(figures) == {"loss", "retrieval_loss", "rating_loss", "learning_rate"}
        resumed.append(epoch)

    trained = fit_on_workers(table, EPOCHS, on_epoch, workers=WorkerGroup(count=2, runs=ended.runs))
    assert resumed[0] > NODE_LEAVES
    assert ended.epochs == list(range(1, len(ended.epochs) + 1))
    assert len(ended.epochs) >= HEAD_DIES
    assert resumed == list(range(resumed[0], EPOCHS.epochs + 1))
    assert resumed[0] <= len(ended.epochs) + 1
    require_equal(trained, fit_model(table, EPOCHS), 1e-4)
    remove_finished_runs(ended.runs)
    assert not ended.runs.exists()


def test_what_one_process_would_refuse_is_refused_once(table: RatingsTable, workers: WorkerGroup) -> None:
    diverging = replace(EPOCHS, learning_rate=1e30)
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        fit_on_workers(table, diverging, workers=replace(workers, count=1))


def test_more_workers_than_processors_are_refused(table: RatingsTable, workers: WorkerGroup) -> None:
    with pytest.raises(
        ClusterError, match="4 workers need 4 processors, the Ray cluster has 3: add machines"
    ):
        fit_on_workers(table, EPOCHS, workers=replace(workers, count=4))
