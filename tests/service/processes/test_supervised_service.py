"""A supervisor and its workers, as real processes. Without a bundle they are quick to start."""

import json
import os
import shutil
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import httpx
import pytest
import waiting
from prometheus_text import value
from service_process import ServiceProcess, running_service
from tiny_bundle import seal

from service.bundle.current import REFUSED_FILE, go_live, refuse

wait_for = partial(waiting.wait_for, seconds=100)


def children(process_id: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(process_id)],  # noqa: S607 wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def ask_often(service: ServiceProcess, path: str, times: int) -> None:
    """Each time on a connection of its own, so that any worker may take it."""
    for _ in range(times):
        httpx.get(f"{service.client.base_url}{path}", timeout=30)


def metrics(service: ServiceProcess) -> str:
    return httpx.get(f"{service.client.base_url}/metrics", timeout=30).text


def health_checks(exposed: str) -> float | None:
    return value(exposed, "request_seconds_count", method="GET", route="/healthz", status="200")


def test_workers_answer_are_counted_together_and_replaced_when_they_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with running_service(tmp_path, tmp_path / "log", workers="2") as service:
        wait_for(lambda: len(children(service.process.pid)) == 2)
        ask_often(service, "/healthz", 20)
        # Each worker writes what it counted every 100 ms.
        wait_for(lambda: health_checks(metrics(service)) == 20)
        assert value(metrics(service), "workers") == 2

        wait_for(lambda: service.log.count('"/healthz"') == 20)
        first, second = children(service.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: "takes its place" in service.log)
        ask_often(service, "/healthz", 10)
        wait_for(lambda: len(set(children(service.process.pid)) - {first, second}) == 1)
        wait_for(lambda: health_checks(metrics(service)) == 30)
        exposed = metrics(service)
        assert value(exposed, "worker_deaths_total") == 1
        assert value(exposed, "workers") == 2

        assert list(temporary.glob("matinee-metrics-*/counter_2?.db"))
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 0
        assert not list(temporary.iterdir())
        lines = [json.loads(line) for line in service.log.splitlines()]
        assert {line["worker"] for line in lines} == {0, 1, 2}
        assert any(f"process {first}) ended with -9" in line["message"] for line in lines)
        assert sum(line.get("route") == "/healthz" for line in lines) == 30


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
        wait_for(lambda: value(metrics(service), "bundle_info", bundle_id="tiny-1") is None)
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(10) == 0
        assert "Traceback" not in service.log


def test_metrics_say_whether_training_refused_its_newest_bundle(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log", workers="1", reload_seconds="0.05") as service:
        wait_for(lambda: value(metrics(service), "training_refused") == 0)
        refuse(tmp_path, "tiny-2")
        wait_for(lambda: value(metrics(service), "training_refused") == 1)
        (tmp_path / REFUSED_FILE).unlink()
        wait_for(lambda: value(metrics(service), "training_refused") == 0)


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
def test_it_ends_with_0_while_a_load_cannot_be_stopped(tmp_path: Path, workers: str) -> None:
    (tmp_path / "CURRENT").write_text("stuck\n", encoding="utf-8")
    (tmp_path / "stuck").mkdir()
    os.mkfifo(tmp_path / "stuck" / "manifest.json")  # a process that opens it waits for a writer without end
    # With one second, a worker on a busy machine had 50 ms between its own last resort and being killed.
    settings = {"workers": workers, "shutdown_seconds": "8"}
    with running_service(tmp_path, tmp_path / "log", **settings) as service:
        assert service.client.get("/healthz").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
        assert "killing workers" not in service.log
        assert "work unfinished" not in service.log  # it need not come to that


PROBES = [(method, path) for method in ("GET", "HEAD") for path in ("/healthz", "/readyz", "/readyz/")]


@pytest.mark.parametrize("log_probes", ["true", "false"])
def test_no_probe_is_an_error_while_a_bundle_loads_and_none_is_logged_on_request(
    tmp_path: Path, log_probes: str
) -> None:
    (tmp_path / "CURRENT").write_text("stuck\n", encoding="utf-8")
    (tmp_path / "stuck").mkdir()
    os.mkfifo(tmp_path / "stuck" / "manifest.json")  # its load does not end
    with running_service(tmp_path, tmp_path / "log", log_probes=log_probes) as service:
        statuses = {service.client.request(method, path).status_code for method, path in PROBES}
        assert statuses == {200, 503}
        assert service.client.get("/model").status_code == 503
        wait_for(lambda: '"/model"' in service.log)
        lines = [json.loads(line) for line in service.log.splitlines()]
    logged = [line for line in lines if line.get("route") in {"/healthz", "/readyz"}]
    assert [line["level"] for line in logged] == (["info"] * len(PROBES) if log_probes == "true" else [])


def test_before_it_stops_it_is_not_ready_and_answers_all_else(artifacts: Path, tmp_path: Path) -> None:
    with running_service(artifacts, tmp_path / "log", workers="2", drain_seconds="5") as service:
        service.wait_until_ready(seconds=100)
        url = str(service.client.base_url)
        service.client.get("/healthz")  # a connection that is kept
        began = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        wait_for(lambda: httpx.get(f"{url}/readyz").status_code == 503, seconds=2)
        while time.monotonic() - began < 4:  # of 5, for nobody knows when the signal arrives
            assert httpx.get(f"{url}/readyz").json()["type"] == "urn:matinee:shutting-down"
            assert httpx.get(f"{url}/recommend?user_id=42").status_code == 200
        kept = service.client.get("/recommend?user_id=42")
        assert (kept.status_code, kept.headers["connection"]) == (200, "close")
        assert service.process.wait(10) == 0
        assert time.monotonic() - began >= 2


def test_a_second_signal_ends_the_draining(tmp_path: Path) -> None:
    with running_service(tmp_path, tmp_path / "log", drain_seconds="60") as service:
        service.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining for 60 s" in service.log)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(10) == 0


def test_a_reload_takes_up_a_new_bundle_refuses_a_bad_one_and_a_rollback_goes_back(
    artifacts: Path, tmp_path: Path
) -> None:
    seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
    bad = Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-3"))
    seal(bad)
    (bad / "catalogue.json").unlink()
    settings = {"reload_seconds": "3600", "admin_keys": "operator"}
    with running_service(artifacts, tmp_path / "log", **settings) as service:
        service.wait_until_ready(seconds=100)

        def operate(action: str) -> httpx.Response:
            url = f"{service.client.base_url}/admin/{action}"
            return httpx.post(url, headers={"X-API-Key": "operator"}, timeout=100)

        go_live(artifacts, "tiny-2")
        assert service.client.get("/readyz").json()["bundle_id"] == "tiny-1"
        assert operate("reload").json() == {"bundle_id": "tiny-2", "refused": None}
        assert httpx.get(f"{service.client.base_url}/readyz").json()["bundle_id"] == "tiny-2"

        go_live(artifacts, "tiny-3")
        answer = operate("reload").json()
        refused = answer["refused"]
        assert answer["bundle_id"] == "tiny-2"
        assert (refused["bundle_id"], refused["error"]) == ("tiny-3", "FileMissing")
        assert "catalogue.json" in refused["detail"]
        assert httpx.get(f"{service.client.base_url}/model").json()["refused"] == refused
        assert value(metrics(service), "bundle_refusals_total", reason="FileMissing") == 1

        assert operate("rollback").json() == {"bundle_id": "tiny-2", "refused": None}
        assert (artifacts / "CURRENT").read_text(encoding="utf-8") == "tiny-2\n"
        assert httpx.get(f"{service.client.base_url}/model").json()["refused"] is None
        problem = operate("rollback")
        assert (problem.status_code, problem.json()["type"]) == (409, "urn:matinee:rollback-refused")
        assert "catalogue.json" in problem.json()["detail"]


def test_a_keep_alive_client_is_answered_once_more_by_the_worker_that_is_replaced(
    artifacts: Path, tmp_path: Path
) -> None:
    seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
    with running_service(artifacts, tmp_path / "log", reload_seconds="0.2") as service:
        service.wait_until_ready(seconds=100)
        go_live(artifacts, "tiny-2")
        closing = []
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            answer = service.client.get("/recommend?user_id=42")
            assert answer.status_code == 200
            if answer.headers.get("connection") == "close":
                closing.append(answer.json()["bundle_id"])
            if answer.json()["bundle_id"] == "tiny-2":
                break
        assert closing == ["tiny-1"]
