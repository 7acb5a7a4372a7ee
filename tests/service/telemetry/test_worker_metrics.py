"""Metrics of forked processes, read by the parent while they live and after they ended."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_text import samples, value
from service_process import REPOSITORY

# Forks one process at a time: nothing here may run in the process of the tests, which has threads.
SCRIPT = """
import json, os
from service.telemetry.metrics import Telemetry
from service.telemetry.worker_metrics import WorkerMetrics

def in_process(key, worker, count):
    if os.fork() == 0:
        shared.enter_worker(key)
        telemetry = Telemetry(worker)
        telemetry.workers(1)
        telemetry.batch("recommend", 10 * count)
        telemetry.report_resources()
        for _ in range(count):
            telemetry.rejected("key")
        shared.flush()
        telemetry.rejected("key")  # lost: the process ends before it is written
        os._exit(0)
    assert os.wait()[1] == 0

def expose():
    exposed.append(parent.exposition("")[0].decode())

exposed = []
shared = WorkerMetrics()
with shared.directory():
    directory = os.environ["PROMETHEUS_MULTIPROC_DIR"]
    parent = Telemetry(0)
    in_process("1a", 1, 1)
    in_process("1b", 1, 2)
    in_process("2a", 2, 4)
    expose()
    shared.remove_gauges("1a")
    expose()
    in_process("1a", 1, 8)
    expose()
print(json.dumps({"exposed": exposed, "is_left": os.path.exists(directory)}))
"""


@pytest.fixture(scope="module")
def exposed() -> list[str]:
    """Metrics with processes 1a and 1b of worker 1 and 2a of worker 2; without 1a; with another 1a."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )
    written = json.loads(ended.stdout)
    assert not written["is_left"]
    return list(written["exposed"])


def test_processes_of_different_keys_add_up(exposed: list[str]) -> None:
    assert value(exposed[0], "workers") == 3
    assert value(exposed[0], "requests_rejected_total", reason="key") == 1 + 2 + 4
    assert value(exposed[0], "batch_size_sum", endpoint="recommend") == 10 + 20 + 40
    assert value(exposed[0], "batch_size_bucket", endpoint="recommend", le="32.0") == 2


def test_labels_have_the_number_of_the_worker_and_not_the_key(exposed: list[str]) -> None:
    labels = {dict(labels).get("worker") for _, labels in samples(exposed[0])}
    assert labels == {None, "1", "2"}


def test_a_process_that_ended_stays_counted_and_its_gauges_go(exposed: list[str]) -> None:
    assert value(exposed[1], "workers") == 2
    assert value(exposed[1], "requests_rejected_total", reason="key") == 1 + 2 + 4
    assert value(exposed[1], "batch_size_count", endpoint="recommend") == 3


def test_another_process_of_the_same_key_goes_on_counting(exposed: list[str]) -> None:
    assert value(exposed[2], "workers") == 3
    assert value(exposed[2], "requests_rejected_total", reason="key") == 1 + 2 + 4 + 8
    assert value(exposed[2], "batch_size_sum", endpoint="recommend") == 10 + 20 + 40 + 80


def test_what_an_earlier_run_left_in_a_chosen_directory_is_not_counted(tmp_path: Path) -> None:
    run = (
        "from service.telemetry.metrics import Telemetry\n"
        "from service.telemetry.worker_metrics import WorkerMetrics\n"
        "with WorkerMetrics().directory():\n"
        "    telemetry = Telemetry(0)\n"
        "    telemetry.worker_died()\n"
        "    print(telemetry.exposition('')[0].decode())\n"
    )
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-c", run],
            cwd=REPOSITORY,
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert value(ended.stdout, "worker_deaths_total") == 1
        assert list(tmp_path.glob("counter_0.db"))
