"""Workers as processes on this machine, without Ray."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import exchange_worker
import numpy as np
import pytest
from exchange_worker import FORTY_STEPS
from synthetic_ratings import two_clusters

from training.model.fitting import fit_model
from training.model.trained_model import TrainedModel

pytestmark = [pytest.mark.ray, pytest.mark.timeout(240)]

Found = list[dict[str, np.ndarray[Any, Any]]]


@pytest.fixture(scope="module")
def alone() -> TrainedModel:
    return fit_model(two_clusters(), FORTY_STEPS)


@pytest.fixture(scope="module", params=[2, 3])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What each worker of a group wrote."""
    directory = tmp_path_factory.mktemp("exchange")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(request.param)]
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    program = Path(exchange_worker.__file__)
    paths = [program.parent.parent, program.parent]
    workers = []
    for rank in range(request.param):
        of_group = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": rank}}
        environment = os.environ | {
            "TF_CONFIG": json.dumps(of_group),
            "TF_NUM_INTRAOP_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
        }
        workers.append(subprocess.Popen([sys.executable, program, directory], env=environment))
    try:
        assert [worker.wait(200) for worker in workers] == [0] * request.param
    finally:
        for worker in workers:
            worker.kill()
    results = []
    for rank in range(request.param):
        with np.load(directory / f"{rank}.npz") as values:
            results.append(dict(values))
    return results


def test_small_gradients_and_losses_are_summed(found: Found) -> None:
    workers = len(found)
    total = workers * (workers + 1) / 2  # worker r has r + 1 times 1, 2, 3
    for each in found:
        np.testing.assert_array_equal(each["dense"], [total, 2 * total, 3 * total])
        np.testing.assert_array_equal(each["dense_10"], [10 * total, 20 * total, 30 * total])
        np.testing.assert_array_equal(each["losses"], [workers, workers])
        np.testing.assert_array_equal(each["losses_10"], [10 * workers, workers])


def test_rows_of_large_tables_are_summed_each_once(found: Found) -> None:
    workers = len(found)
    expected = dict.fromkeys(range(workers), 0.0) | {7: 0.0}
    for rank in range(workers):
        for row in (7, rank, 7, *range(100, 100 + rank)):
            expected[row] = expected.get(row, 0.0) + 1 + rank
    for each in found:
        for suffix, factor in (("", 1), ("_10", 10)):
            summed = dict(zip(each[f"rows{suffix}"].tolist(), each[f"values{suffix}"].tolist(), strict=True))
            assert summed == {row: [factor * value] * 2 for row, value in expected.items()}
            assert len(each[f"rows{suffix}"]) == len(expected)


def test_variables_are_set_to_those_of_the_first_worker(found: Found) -> None:
    for each in found:
        np.testing.assert_array_equal(each["kept"], [0, 5])


def test_workers_end_with_the_same_weights_to_the_last_bit(found: Found) -> None:
    names = [name for name in found[0] if name.startswith(("weight_", "loss_"))]
    for name in names:
        for other in found[1:]:
            np.testing.assert_array_equal(other[name], found[0][name])


def test_forty_steps_of_several_workers_equal_those_of_one(found: Found, alone: TrainedModel) -> None:
    weights = [found[0][name] for name in sorted(found[0]) if name.startswith("weight_")]
    for mine, variable in zip(weights, alone.model.trainable_variables, strict=True):
        np.testing.assert_allclose(mine, variable.numpy(), rtol=0, atol=1e-5)
    for name, losses in alone.losses.items():
        np.testing.assert_allclose(found[0][f"loss_{name}"], losses, rtol=0, atol=1e-5)
