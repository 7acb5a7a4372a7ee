"""A service whose bundles are in an S3 storage: moto's server, as a process of its own."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from service_process import ServiceProcess, running_service
from tiny_bundle import seal
from waiting import wait_for

from service.bundle.object_storage import ObjectStorage

s3fs = pytest.importorskip("s3fs", reason="needs requirements/storage.txt")
pytest.importorskip("moto", reason="needs moto[server] of requirements/dev.txt")

URL = "s3://bundles/movies"


class Storage:
    """An S3 server that can be stopped."""

    def __init__(self) -> None:
        script = (
            "from moto.server import ThreadedMotoServer; import sys; "
            "server = ThreadedMotoServer('127.0.0.1', 0); server.start(); "
            "print('port', server.get_host_and_port()[1], flush=True); sys.stdin.read()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        lines = (line.split() for line in self.process.stdout)
        self.port = next(int(words[1]) for words in lines if words[:1] == ["port"])

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    storage = Storage()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{storage.port}",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    httpx.put(f"http://127.0.0.1:{storage.port}/bundles").raise_for_status()
    s3fs.S3FileSystem.clear_instance_cache()  # one has the address of the test before
    yield storage
    storage.stop()


def publish(artifacts: Path, name: str, *, damaged: bool = False) -> None:
    bundle = artifacts / name
    if not bundle.exists():
        seal(Path(shutil.copytree(artifacts / "tiny-1", bundle)))
    storage = ObjectStorage(URL)
    storage.publish(bundle)
    if damaged:
        files, path = s3fs.S3FileSystem(), f"{URL}/{name}/catalogue.json"
        files.pipe_file(path, files.cat_file(path)[:-1] + b"?")
    storage.go_live(name)


def wait_for_refusal(service: ServiceProcess, seconds: float = 60) -> dict[str, str]:
    deadline = time.monotonic() + seconds
    while (refused := service.client.get("/model").json()["refused"]) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return dict(refused)


def test_a_service_starts_from_s3_takes_up_a_new_bundle_and_outlives_the_storage(
    artifacts: Path, tmp_path: Path, s3: Storage
) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    settings = {"artifacts_cache": str(cache), "reload_seconds": "0.2", "admin_keys": "operator"}
    with running_service(URL, log, **settings) as service:
        assert service.client.get("/readyz").status_code == 503
        publish(artifacts, "tiny-1")
        service.wait_until_ready(bundle_id="tiny-1", seconds=100)
        publish(artifacts, "tiny-2")
        service.wait_until_ready(bundle_id="tiny-2", seconds=100)
        rollback = service.client.post("/admin/rollback", headers={"X-API-Key": "operator"})
        assert (rollback.status_code, "matinee rollback --artifacts" in rollback.text) == (409, True)
        assert ObjectStorage(URL).roll_back() == "tiny-1"
        service.wait_until_ready(bundle_id="tiny-1", seconds=100)
        publish(artifacts, "tiny-3", damaged=True)
        refused = wait_for_refusal(service)
        assert (refused["bundle_id"], refused["error"]) == ("tiny-3", "ChecksumDiffers")
        counted = 'matinee_bundle_refusals_total{reason="ChecksumDiffers"} 1.0'
        assert counted in service.client.get("/metrics").text
        s3.stop()
        wait_for(lambda: "StorageAway" in log.read_text(encoding="utf-8"), 60)
        assert service.client.get("/readyz").json() == {"status": "ready", "bundle_id": "tiny-1"}
        assert service.client.get("/recommend?user_id=42").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(15) == 0
        assert "Traceback" not in service.log
    with running_service(URL, tmp_path / "again", **settings) as service:
        service.wait_until_ready(bundle_id="tiny-1", seconds=100)


def test_the_process_that_copies_is_started_again_and_ends_with_the_service(
    artifacts: Path, tmp_path: Path, s3: Storage
) -> None:
    assert s3.port
    publish(artifacts, "tiny-1")
    settings = {"artifacts_cache": str(tmp_path / "cache"), "reload_seconds": "0.2"}
    with running_service(URL, tmp_path / "log", **settings) as service:
        service.wait_until_ready(bundle_id="tiny-1", seconds=100)
        (first,) = copiers(service.process.pid)
        os.kill(first, signal.SIGKILL)
        publish(artifacts, "tiny-2")
        service.wait_until_ready(bundle_id="tiny-2", seconds=100)
        (second,) = copiers(service.process.pid)
        assert second != first
        service.process.kill()
        wait_for(lambda: not is_running(second))


def copiers(process_id: int) -> list[int]:
    found = subprocess.run(
        ["pgrep", "-P", str(process_id), "-f", "service.reloading.mirroring"],  # noqa: S607 wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in found.stdout.split()]


def is_running(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False
