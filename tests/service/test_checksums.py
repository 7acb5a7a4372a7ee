import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from service.bundle import MANIFEST_FILE
from service.checksums import list_files, verify_files
from service.errors import BundleCorrupt, BundleUnreadable, BundleUnsafe
from service.manifest import Manifest

MANIFEST = Manifest(
    bundle_id="b1",
    created_utc="2025-01-01T00:00:00Z",
    dataset={"name": "Amélie"},
    hyperparameters={"layers": [64, 32]},
    seed=1,
    embedding_dimension=32,
    max_history=50,
    rating_scale=(0.5, 5.0),
    index={"trees": 20, "search_k": 100},
    metrics=None,
    libraries={},
    files={},
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "b1"
    (directory / "model").mkdir(parents=True)
    (directory / "a.npy").write_bytes(b"12345")
    (directory / "model" / "b.pb").write_bytes(b"")
    (directory / MANIFEST_FILE).write_bytes(b"{}")
    return directory


@pytest.fixture
def manifest(directory: Path) -> Manifest:
    return replace(MANIFEST, files=list_files(directory))


def test_every_file_but_the_manifest_is_listed_and_fits(directory: Path, manifest: Manifest) -> None:
    assert manifest.files == {
        "a.npy": {"sha256": hashlib.sha256(b"12345").hexdigest(), "bytes": 5},
        "model/b.pb": {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0},
    }
    verify_files(directory, manifest)


def test_a_flipped_byte_a_cut_and_a_missing_file_are_named(directory: Path, manifest: Manifest) -> None:
    path = directory / "a.npy"
    path.write_bytes(b"12344")
    with pytest.raises(BundleCorrupt, match=r"a\.npy: expected sha256"):
        verify_files(directory, manifest)
    path.write_bytes(b"1234")
    with pytest.raises(BundleCorrupt, match=r"a\.npy: expected 5 bytes, found 4"):
        verify_files(directory, manifest)
    path.unlink()
    with pytest.raises(BundleUnreadable, match=r"a\.npy: No such file"):
        verify_files(directory, manifest)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "model/../../outside", "a\0b", "loop"])
def test_a_path_out_of_the_bundle_is_unsafe(directory: Path, manifest: Manifest, name: str) -> None:
    (directory.parent / "outside").write_bytes(b"")
    (directory / "loop").symlink_to("loop")
    entry = manifest.files["model/b.pb"]
    with pytest.raises(BundleUnsafe, match="leads out"):
        verify_files(directory, replace(manifest, files={name: entry}))


def test_a_link_out_of_the_bundle_is_unsafe(directory: Path, manifest: Manifest) -> None:
    (directory.parent / "outside").write_bytes(b"12345")
    (directory / "a.npy").unlink()
    (directory / "a.npy").symlink_to(directory.parent / "outside")
    with pytest.raises(BundleUnsafe, match=r"a\.npy"):
        verify_files(directory, manifest)
