"""A parent and its workers, as real processes. Without a bundle they are quick to start."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from prometheus_text import value
from service_process import ServiceProcess, running_service
from tiny_bundle import seal

from service.bundle.current import go_live


def children(process_id: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(process_id)],  # noqa: S607 wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def ask_often(service: ServiceProcess, path: str, times: int) -> None:
    """Each time on a connection of its own, so that any worker may take it."""
    for _ in range(times):
        httpx.get(f"{service.client.base_url}{path}", timeout=30)


def metrics(service: ServiceProcess) -> str:
    return httpx.get(f"{service.client.base_url}/metrics", timeout=30).text


def health_checks(told: str) -> float | None:
    return value(told, "request_seconds_count", method="GET", route="/healthz", status="200")


def test_workers_answer_are_counted_together_and_replaced_when_they_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running_service(tmp_path, tmp_path / "log", workers="2") as service:
        wait_for(lambda: len(children(service.process.pid)) == 2)
        ask_often(service, "/healthz", 20)
        assert health_checks(metrics(service)) == 20
        assert value(metrics(service), "workers") == 2

        wait_for(lambda: service.log.count('"/healthz"') == 20)
        first, second = children(service.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: "takes its place" in service.log)
        ask_often(service, "/healthz", 10)
        wait_for(lambda: len(set(children(service.process.pid)) - {first, second}) == 1)
        told = metrics(service)
        assert health_checks(told) == 30
        assert value(told, "worker_deaths_total") == 1
        assert value(told, "workers") == 2

        assert list(temporary.glob("matinee-metrics-*/counter_2.db"))
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 0
        assert not list(temporary.iterdir())
        lines = [json.loads(line) for line in service.log.splitlines()]
        assert {line["worker"] for line in lines} == {0, 1, 2}
        assert any(f"process {first}) ended with -9" in line["message"] for line in lines)
        assert sum(line.get("route") == "/healthz" for line in lines) == 30


def test_a_worker_that_cannot_live_is_not_restarted_without_end(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log", workers="2") as service:
        wait_for(lambda: len(children(service.process.pid)) == 2)
        pauses = []
        for _ in range(2):
            deaths = service.log.count("takes its place")
            os.kill(children(service.process.pid)[-1], signal.SIGKILL)
            wait_for(lambda deaths=deaths: service.log.count("takes its place") > deaths)  # type: ignore[misc] # mypy cannot infer a default
            started = time.monotonic()
            wait_for(lambda: len(children(service.process.pid)) == 2)
            pauses.append(time.monotonic() - started)
        assert pauses[0] > 0.3
        assert pauses[1] > 0.8


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log", workers="2") as service:
        wait_for(lambda: len(children(service.process.pid)) == 2)
        workers = children(service.process.pid)
        service.process.kill()
        service.process.wait()
        wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 10)


def test_tensorflow_is_in_workers_only_and_at_sighup_all_take_up_one_bundle(
    artifacts: Path, tmp_path: Path
) -> None:
    with running_service(artifacts, tmp_path / "log", workers="2", reload_seconds="3600") as service:
        service.wait_until_ready()
        wait_for(lambda: value(metrics(service), "bundle_info", bundle_id="tiny-1") == 2)
        assert "tensorflow" not in maps(service.process.pid)
        for worker in children(service.process.pid):
            assert "tensorflow" in maps(worker)
            assert "candidates.npy" in maps(worker)
        seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
        go_live(artifacts, "tiny-2")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: value(metrics(service), "bundle_info", bundle_id="tiny-2") == 2)
        assert value(metrics(service), "bundle_info", bundle_id="tiny-1") is None
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(10) == 0
        assert "Traceback" not in service.log


def maps(process_id: int) -> str:
    return Path(f"/proc/{process_id}/maps").read_text(encoding="utf-8")


def namespaces_allowed() -> bool:
    unshare = shutil.which("unshare")
    command = [str(unshare), "--fork", "--pid", "true"]
    return bool(unshare) and subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not namespaces_allowed(), reason="may not make process namespaces")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_with_0_as_process_1_of_a_container(tmp_path: Path, workers: str) -> None:
    prefix = ["unshare", "--fork", "--pid"]
    with running_service(tmp_path, tmp_path / "log", prefix=prefix, workers=workers) as service:
        assert service.client.get("/healthz").status_code == 200
        (process_1,) = children(service.process.pid)
        os.kill(process_1, signal.SIGTERM)
        assert service.process.wait(10) == 0
        assert "Traceback" not in service.log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_in_time_and_with_0_while_a_load_cannot_be_stopped(tmp_path: Path, workers: str) -> None:
    (tmp_path / "CURRENT").write_text("stuck\n", encoding="utf-8")
    (tmp_path / "stuck").mkdir()
    os.mkfifo(tmp_path / "stuck" / "manifest.json")  # whoever opens it waits for a writer without end
    settings = {"workers": workers, "shutdown_seconds": "1"}
    with running_service(tmp_path, tmp_path / "log", **settings) as service:
        assert service.client.get("/healthz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(4) == 0
        assert "MATINEE_SHUTDOWN_SECONDS are over" in service.log
