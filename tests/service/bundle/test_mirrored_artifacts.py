"""Copies of the bundles of an object storage, on a file system that fsspec reaches by a URL."""

import shutil
from pathlib import Path

import pytest
from tiny_bundle import seal

from service.bundle.current import read_current, read_previous
from service.bundle.mirrored_artifacts import MirroredArtifacts
from service.bundle.object_storage import ObjectStorage
from service.errors import ChecksumDiffers, NoBundle, NoPrevious, SizeDiffers, StorageAway

pytest.importorskip("fsspec")


def bundles(artifacts: Path, names: list[str]) -> list[Path]:
    made = [artifacts / "tiny-1"]
    for name in names:
        made.append(Path(shutil.copytree(artifacts / "tiny-1", artifacts / name)))
        seal(made[-1])
    return made


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def test_what_is_published_is_copied_whole_once_it_is_live(artifacts: Path, tmp_path: Path) -> None:
    first, second = bundles(artifacts, ["tiny-2"])
    storage, copies = ObjectStorage(f"file://{tmp_path}/storage/movies"), tmp_path / "copies"
    mirrored = MirroredArtifacts(storage, copies)
    with pytest.raises(NoBundle):
        mirrored.update()
    storage.publish(first)
    with pytest.raises(NoBundle):
        mirrored.update()
    storage.go_live(first.name)
    assert mirrored.update() == "tiny-1"
    assert contents(read_current(copies)) == contents(first)
    storage.publish(second)
    storage.go_live(second.name)
    assert mirrored.update() == "tiny-2"
    assert (read_current(copies).name, read_previous(copies).name) == ("tiny-2", "tiny-1")
    assert storage.roll_back() == "tiny-1"
    assert mirrored.update() == "tiny-1"
    assert read_current(copies).name == "tiny-1"


def test_a_damaged_bundle_and_an_unreachable_storage_change_nothing(artifacts: Path, tmp_path: Path) -> None:
    first, second = bundles(artifacts, ["tiny-2"])
    root, copies = tmp_path / "storage", tmp_path / "copies"
    storage = ObjectStorage(f"file://{root}")
    mirrored = MirroredArtifacts(storage, copies)
    for bundle in (first, second):
        storage.publish(bundle)
    storage.go_live("tiny-1")
    mirrored.update()
    storage.go_live("tiny-2")
    catalogue = root / "tiny-2" / "catalogue.json"
    whole = catalogue.read_bytes()
    catalogue.write_bytes(whole[:-1] + b"?")
    with pytest.raises(ChecksumDiffers):
        mirrored.update()
    catalogue.write_bytes(whole[:-1])
    with pytest.raises(SizeDiffers):
        mirrored.update()
    assert sorted(path.name for path in copies.iterdir()) == ["CURRENT", "tiny-1"]
    catalogue.write_bytes(whole)
    shutil.move(root / "CURRENT", root / "kept")
    (root / "CURRENT").mkdir()  # cannot be read
    with pytest.raises(StorageAway):
        mirrored.update()
    assert read_current(copies).name == "tiny-1"
    (root / "CURRENT").rmdir()
    shutil.move(root / "kept", root / "CURRENT")
    assert mirrored.update() == "tiny-2"


def test_a_start_with_a_damaged_live_bundle_copies_the_previous_one(artifacts: Path, tmp_path: Path) -> None:
    root = tmp_path / "storage"
    storage = ObjectStorage(f"file://{root}")
    for bundle in bundles(artifacts, ["tiny-2"]):
        storage.publish(bundle)
        storage.go_live(bundle.name)
    (root / "tiny-2" / "golden.json").unlink()
    with pytest.raises(Exception, match=r"golden\.json"):
        MirroredArtifacts(storage, tmp_path / "copies").update()
    assert read_current(tmp_path / "copies").name == "tiny-1"


def test_a_damaged_copy_is_fetched_again_at_the_start(artifacts: Path, tmp_path: Path) -> None:
    storage, copies = ObjectStorage(f"file://{tmp_path}/storage"), tmp_path / "copies"
    storage.publish(artifacts / "tiny-1")
    storage.go_live("tiny-1")
    MirroredArtifacts(storage, copies).update()
    (copies / "tiny-1" / "catalogue.json").write_bytes(b"{}")
    MirroredArtifacts(storage, copies).update()
    assert contents(copies / "tiny-1") == contents(artifacts / "tiny-1")


def test_old_copies_go_and_the_live_and_the_previous_stay(artifacts: Path, tmp_path: Path) -> None:
    storage, copies = ObjectStorage(f"file://{tmp_path}/storage"), tmp_path / "copies"
    mirrored = MirroredArtifacts(storage, copies)
    for bundle in bundles(artifacts, ["tiny-2", "tiny-3", "tiny-4", "tiny-5"]):
        storage.publish(bundle)
        storage.go_live(bundle.name)
        mirrored.update()
    left = sorted(path.name for path in copies.iterdir())
    assert left == ["CURRENT", "PREVIOUS", "tiny-3", "tiny-4", "tiny-5"]


def test_there_is_nothing_to_go_back_to_at_first(artifacts: Path, tmp_path: Path) -> None:
    storage = ObjectStorage(f"file://{tmp_path}/storage")
    storage.publish(artifacts / "tiny-1")
    storage.go_live("tiny-1")
    with pytest.raises(NoPrevious):
        storage.roll_back()


def test_a_url_of_no_storage_is_refused_in_words() -> None:
    with pytest.raises(StorageAway, match="nosuch"):
        ObjectStorage("nosuch://bucket")
