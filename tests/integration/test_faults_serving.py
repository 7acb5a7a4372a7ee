"""The real service stopped under load, and offered three times what it can do."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_text import value
from service_process import ServiceProcess, running_service

from benchmarks.socket_load import Load, percentile

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AS_PROCESS_1 = ("unshare", "--fork", "--pid", "--mount-proc")
BODY = {"user_id": "42", "k": 10}
SHUTDOWN_SECONDS = 8


def may_unshare() -> bool:
    command = [*AS_PROCESS_1, "true"]
    return bool(shutil.which("unshare")) and not subprocess.run(command, check=False).returncode


def asking_anew(port: int, outcomes: list[tuple[float, str]], ended: threading.Event) -> None:
    """Asks on a connection of its own each time: when each request was sent, and its status or error."""
    while not ended.is_set():
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/recommend", json.dumps(BODY), {"Content-Type": "application/json"})
            sent = time.monotonic()
            outcome = str(connection.getresponse().status)
        except OSError as error:
            sent, outcome = time.monotonic(), type(error).__name__
            time.sleep(0.01)
        finally:
            connection.close()
        outcomes.append((sent, outcome))


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("prefix", [(), AS_PROCESS_1], ids=["outside", "process 1"])
def test_told_to_end_under_load_it_finishes_what_it_began_and_takes_nothing_new(
    prefix: tuple[str, ...], workers: str, tiny_artifacts: Path, tmp_path: Path
) -> None:
    if prefix and not may_unshare():
        pytest.skip("may not make process namespaces")
    settings = {"workers": workers, "shutdown_seconds": str(SHUTDOWN_SECONDS), "model_delay_ms": "100"}
    with running_service(tiny_artifacts, tmp_path / "log", prefix=prefix, **settings) as service:
        service.wait_until_ready()
        while value(service.client.get("/metrics").text, "bundle_info", bundle_id="tiny-1") != int(workers):
            time.sleep(0.1)
        outcomes: list[tuple[float, str]] = []
        ended = threading.Event()
        threads = [
            threading.Thread(target=asking_anew, args=(service.port, outcomes, ended)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        time.sleep(3)
        stopped = time.monotonic()
        os.kill(_told(service, prefix), signal.SIGTERM)
        assert service.process.wait(SHUTDOWN_SECONDS + 2) == 0
        seconds = time.monotonic() - stopped
        time.sleep(0.3)
        ended.set()
        for thread in threads:
            thread.join()
        log = service.log
    # What was sent in the last moment may not have been taken yet.
    before = [outcome for sent, outcome in outcomes if sent < stopped - 0.1]
    assert len(before) > 20
    assert set(before) == {"200"}
    after = [outcome for sent, outcome in outcomes if sent > stopped + seconds]
    assert after
    assert set(after) == {"ConnectionRefusedError"}
    assert seconds < SHUTDOWN_SECONDS
    assert "Traceback" not in log


def _told(service: ServiceProcess, prefix: tuple[str, ...]) -> int:
    process = service.process.pid
    if not prefix:
        return process
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return int(children[0])


def test_at_three_times_its_capacity_it_refuses_quickly_and_keeps_its_word(
    tiny_artifacts: Path, tmp_path: Path
) -> None:
    deadline_seconds = 2.0
    settings = {"model_delay_ms": "50", "batch_size": "8", "queue_size": "40"}
    settings |= {"request_timeout_ms": str(int(1000 * deadline_seconds))}
    with running_service(tiny_artifacts, tmp_path / "log", **settings) as service:
        service.wait_until_ready()
        assert service.port is not None
        closed = Load(service.port, [BODY], connections=16)
        time.sleep(5)
        per_second = sum(each.status == 200 for each in closed.stop()) / 5
        quiet_bytes = _resident_bytes(service.process.pid)

        overload = Load(service.port, [BODY], connections=600, per_second=3 * per_second)
        most_bytes = quiet_bytes
        end = time.monotonic() + 30
        while time.monotonic() < end:
            most_bytes = max(most_bytes, _resident_bytes(service.process.pid))
            assert service.client.get("/healthz").status_code == 200
            time.sleep(0.5)
        samples = overload.stop()
        time.sleep(2)
        calm = []
        for _ in range(10):
            began = time.monotonic()
            assert service.client.post("/recommend", json=BODY).status_code == 200
            calm.append(time.monotonic() - began)
    accepted = [each for each in samples if each.status == 200]
    refused = [each for each in samples if each.status == 503]
    others = {each.status for each in samples} - {200, 503}
    assert not others
    assert len(accepted) > 0.6 * per_second * 30
    assert len(refused) > len(accepted)
    assert percentile(accepted, 1) < deadline_seconds
    assert percentile(refused, 0.99) < 0.25 * deadline_seconds
    assert most_bytes < 1.2 * quiet_bytes
    assert sorted(calm)[5] < 0.5


def _resident_bytes(process: int) -> int:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
