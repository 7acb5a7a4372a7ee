"""Trainings on three Ray nodes on this machine, of which a worker, a node and the head are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
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
def cluster() -> Iterator[Cluster]:
    with ray_nodes((1, 1, 1)) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def table() -> RatingsTable:
    return two_clusters()


@pytest.fixture(scope="module")
def alone(table: RatingsTable) -> TrainedModel:
    return fit_model(table, EPOCHS)


@pytest.fixture
def workers(cluster: Cluster, tmp_path: Path) -> WorkerGroup:
    return WorkerGroup(count=3, address=cluster.address, runs=tmp_path / "runs", checkpoint_every_seconds=0.5)


class Disturbed:
    """Hides the progress of a fit, and does something once, after some epochs."""

    def __init__(self, after: int, disturb: Callable[[], None]) -> None:
        self._after, self._disturb = after, disturb
        self.epochs: list[int] = []
        self.notes: list[str] = []

    def on_epoch(self, epoch: int, figures: dict[str, float]) -> None:
        assert set(figures) == {"loss", "retrieval_loss", "rating_loss", "learning_rate"}
        self.epochs.append(epoch)
        if epoch == self._after:
            self._disturb()


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


def kill_the_head(cluster: Cluster) -> None:
    """End at once what runs on the machine of the head, but for the command."""
    for pid in actors_of([cluster.head_node], "ray::"):
        os.kill(pid, signal.SIGKILL)
    for processes in cluster.head_node.all_processes.values():
        for each in processes:
            each.process.kill()


def test_a_worker_that_is_killed_is_replaced_and_the_end_is_that_of_one_process(
    cluster: Cluster, table: RatingsTable, alone: TrainedModel, workers: WorkerGroup
) -> None:
    shown = Disturbed(5, lambda: kill_a_worker(cluster))
    trained = fit_on_workers(table, EPOCHS, shown.on_epoch, workers=workers, note=shown.notes.append)
    require_equal(trained, alone, 1e-4)
    assert shown.epochs == list(range(1, 21))
    assert any("its process or machine died; training goes on" in note for note in shown.notes)
    remove_finished_runs(workers.runs)
    assert not workers.runs.exists()


def test_what_one_process_would_refuse_is_refused_once(table: RatingsTable, workers: WorkerGroup) -> None:
    diverging = replace(EPOCHS, learning_rate=1e30)
    with pytest.raises(TrainingDiverged, match="lower learning_rate"):
        fit_on_workers(table, diverging, workers=replace(workers, count=1))


def test_more_workers_than_processors_are_refused(table: RatingsTable, workers: WorkerGroup) -> None:
    with pytest.raises(
        ClusterError, match="4 workers need 4 processors, the Ray cluster has 3: add machines"
    ):
        fit_on_workers(table, EPOCHS, workers=replace(workers, count=4))


def test_a_node_that_leaves_for_good_leaves_the_rest_to_train(
    cluster: Cluster,
    table: RatingsTable,
    alone: TrainedModel,
    workers: WorkerGroup,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "5")  # so long Ray waits for who has left

    def remove_a_node() -> None:
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    shown = Disturbed(5, remove_a_node)
    trained = fit_on_workers(table, EPOCHS, shown.on_epoch, workers=workers, note=shown.notes.append)
    require_equal(trained, alone, 1e-4)
    assert "2 of 3 workers train" in shown.notes


def test_a_lost_head_is_reported_and_the_same_training_goes_on_on_another_cluster(
    table: RatingsTable, alone: TrainedModel, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    program = Path(ray_driver.__file__)
    paths = os.pathsep.join(map(str, (program.parent.parent, program.parent)))
    with ray_nodes((1, 1)) as nodes:
        driver = subprocess.Popen(
            [sys.executable, program, nodes.address, runs],
            env=os.environ | {"PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            text=True,
        )
        with driver:
            assert driver.stdout is not None
            for line in driver.stdout:
                if line.strip() == "3":
                    break
            kill_the_head(nodes)
            *_, error = driver.stdout.read().splitlines()
    assert driver.returncode == 1
    assert "has not answered for 1 seconds" in error
    assert "the same command goes on from the last checkpoint" in error
    resumed = Disturbed(0, lambda: None)
    trained = fit_on_workers(table, EPOCHS, resumed.on_epoch, workers=WorkerGroup(count=2, runs=runs))
    assert resumed.epochs[0] > 1
    assert resumed.epochs[-1] == 20
    require_equal(trained, alone, 1e-4)
