"""What keeps a bundle of an object storage from being copied is shown as a refusal, and counted."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tiny_bundle import seal

from service.bundle.mirrored_artifacts import MirroredArtifacts
from service.bundle.object_storage import ObjectStorage
from service.reloading.bundle_selection import BundleSelection
from service.reloading.copy_failure import NOT_COPIED_FILE, read_failure
from service.reloading.mirroring import follow

pytest.importorskip("fsspec")


class Copying:
    """`follow` in a thread, of the bundles in `storage`."""

    def __init__(self, storage: Path, copies: Path) -> None:
        self.storage, self.root, self.copies = ObjectStorage(f"file://{storage}"), storage, copies
        self._read, self._write = os.pipe()
        mirrored = MirroredArtifacts(self.storage, copies)
        self._thread = threading.Thread(target=follow, args=(mirrored, 60, self._read))
        self._thread.start()

    def look_until(self, seen: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not seen():
            assert time.monotonic() < deadline
            os.write(self._write, b"\n")
            time.sleep(0.05)

    def stop(self) -> None:
        os.close(self._write)
        self._thread.join()
        os.close(self._read)


@pytest.fixture
def copying(artifacts: Path, tmp_path: Path) -> Iterator[Copying]:
    copying = Copying(tmp_path / "storage", tmp_path / "copies")
    seal(Path(shutil.copytree(artifacts / "tiny-1", artifacts / "tiny-2")))
    for name in ("tiny-1", "tiny-2"):
        copying.storage.publish(artifacts / name)
    yield copying
    copying.stop()


def test_a_damaged_bundle_is_a_refusal_until_it_is_whole(copying: Copying) -> None:
    counted: list[str] = []
    selection = BundleSelection(
        copying.copies, first_pause_seconds=0.01, refused=counted.append, training_refused=lambda _: None
    )

    def shown(live: str | None) -> tuple[str | None, str] | None:
        selection.select(live)
        refusal = selection.refusal
        return None if refusal is None else (refusal.bundle_id, refusal.error)

    copying.look_until(lambda: read_failure(copying.copies))
    assert shown(None) == (None, "NoBundle")
    assert selection.refusal
    assert "storage/CURRENT: is not there" in selection.refusal.detail

    copying.storage.go_live("tiny-1")
    copying.look_until(lambda: selection.select(None))
    selection.accept(copying.copies / "tiny-1")
    copying.look_until(lambda: shown("tiny-1") is None)

    damaged = copying.root / "tiny-2" / "catalogue.json"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + b"?")
    copying.storage.go_live("tiny-2")
    copying.look_until(lambda: shown("tiny-1"))
    assert shown("tiny-1") == ("tiny-2", "ChecksumDiffers")
    selection.accept(copying.copies / "tiny-1")  # a worker that was started again
    assert shown("tiny-1") == ("tiny-2", "ChecksumDiffers")
    assert counted == ["NoBundle", "ChecksumDiffers"]

    damaged.write_bytes(whole)
    copying.look_until(lambda: selection.select("tiny-1"))
    selection.accept(copying.copies / "tiny-2")
    copying.look_until(lambda: shown("tiny-2") is None)
    assert not (copying.copies / NOT_COPIED_FILE).exists()


def test_a_storage_that_cannot_be_reached_is_one_too(copying: Copying) -> None:
    copying.storage.go_live("tiny-1")
    copying.look_until((copying.copies / "CURRENT").exists)
    (copying.root / "CURRENT").unlink()
    (copying.root / "CURRENT").mkdir()  # cannot be read

    def shown() -> tuple[str | None, str] | None:
        failure = read_failure(copying.copies)
        return None if failure is None else (failure.bundle_id, failure.error)

    # Between the two lines above it was not there at all, which is another failure.
    copying.look_until(lambda: shown() == (None, "StorageAway"))


@pytest.mark.parametrize("content", ["", "{}", "null", '{"error": "Strange"}', '"text"'])
def test_a_file_of_another_release_is_no_failure(content: str, tmp_path: Path) -> None:
    (tmp_path / NOT_COPIED_FILE).write_text(content, encoding="utf-8")
    assert read_failure(tmp_path) is None
