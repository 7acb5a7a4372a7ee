"""Training as a process that is killed, or runs out of disk: CURRENT always names a whole bundle."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service_process import REPOSITORY
from synthetic_ratings import two_clusters, write_csv

from service.bundle.current import read_current
from training.export.bundle_inventory import BUILDING, VERIFYING, bundles_in, verify_whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = 20
LONGEST_SECONDS = 300


@pytest.fixture(scope="module")
def csv_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = two_clusters(per_user=6, with_features=False)
    return write_csv(table, tmp_path_factory.mktemp("ratings") / "csv")


def fit(csv_directory: Path, artifacts: Path, log: Path) -> subprocess.Popen[bytes]:
    """Begins a training of one epoch on a few ratings; some seconds, most of them TensorFlow's start."""
    command = [
        sys.executable,
        "-m",
        "training",
        "fit",
        "--data",
        str(csv_directory),
        "--artifacts",
        str(artifacts),
    ]
    with log.open("wb") as file:
        return subprocess.Popen(
            [*command, "--evaluate", "none", "--epochs", "1"],
            cwd=REPOSITORY,
            stderr=file,
            start_new_session=True,
        )


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """With the fresh process that verifies, if it runs."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def leftovers(artifacts: Path) -> list[str]:
    return [path.name for path in artifacts.iterdir() if path.name.startswith((BUILDING, VERIFYING))]


def test_killed_at_20_random_points_it_leaves_a_whole_bundle_live(
    csv_directory: Path, tmp_path: Path
) -> None:
    artifacts, log = tmp_path / "artifacts", tmp_path / "log"
    first = fit(csv_directory, artifacts, log)
    assert first.wait(LONGEST_SECONDS) == 0, log.read_text(encoding="utf-8")
    found = re.search(r"Export: ([\d.]+) s", log.read_text(encoding="utf-8"))
    assert found
    export_seconds = float(found[1])
    live = {verify_whole(read_current(artifacts)).bundle_id}
    moments = random.Random(6)  # noqa: S311 no secret
    half_written = 0
    for kill in range(KILLS):
        training = fit(csv_directory, artifacts, log)
        if kill % 4:  # most of them while it writes
            while b"Export ..." not in log.read_bytes() and training.poll() is None:
                time.sleep(0.01)
        time.sleep(moments.uniform(0, 1.1 * export_seconds))
        kill_all(training)
        half_written += bool(leftovers(artifacts))
        live.add(verify_whole(read_current(artifacts)).bundle_id)
        for shelved in bundles_in(artifacts):
            verify_whole(shelved.path)
    assert half_written
    last = fit(csv_directory, artifacts, log)
    assert last.wait(LONGEST_SECONDS) == 0, log.read_text(encoding="utf-8")
    assert not leftovers(artifacts)
    assert verify_whole(read_current(artifacts)).bundle_id not in live
    assert not [path for path in artifacts.iterdir() if path.name.startswith(".")]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)  # noqa: S607 wherever it is


def test_a_full_disk_leaves_the_old_bundle_live_and_nothing_half_written(
    csv_directory: Path, small_disk: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    assert fit(csv_directory, small_disk, log).wait(LONGEST_SECONDS) == 0, log.read_text(encoding="utf-8")
    live = read_current(small_disk)
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(free.f_bavail * free.f_frsize - 200_000))
    assert fit(csv_directory, small_disk, log).wait(LONGEST_SECONDS) == 1
    assert "No space left on device" in log.read_text(encoding="utf-8").splitlines()[-1]
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert not leftovers(small_disk)
    assert verify_whole(read_current(small_disk)).bundle_id == live.name

    (small_disk / "ballast").unlink()
    assert fit(csv_directory, small_disk, log).wait(LONGEST_SECONDS) == 0, log.read_text(encoding="utf-8")
    new = read_current(small_disk)
    assert new != live
    free = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(bytes(free.f_bavail * free.f_frsize))
    command = [sys.executable, "-m", "training", "rollback", "--artifacts", str(small_disk)]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60)
    assert read_current(small_disk) == live
