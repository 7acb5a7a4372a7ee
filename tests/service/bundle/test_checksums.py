import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest
from any_manifest import MANIFEST

from service.bundle.checksums import list_files, verify_files
from service.bundle.manifest import Manifest
from service.errors import BundleUnsafe, ChecksumDiffers, FileMissing, SizeDiffers


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
    with pytest.raises(ChecksumDiffers, match=r"a\.npy: expected sha256"):
        verify_files(directory, manifest)
    path.write_bytes(b"1234")
    with pytest.raises(SizeDiffers, match=r"a\.npy: expected 5 bytes, found 4"):
        verify_files(directory, manifest)
    path.unlink()
    with pytest.raises(FileMissing, match=r"a\.npy: expected a file, found none"):
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


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(directory: Path, manifest: Manifest) -> None:
    (directory / "a.npy").unlink()
    os.mkfifo(directory / "a.npy")
    with pytest.raises(BundleUnsafe, match=r"a\.npy: expected a file, found p"):
        verify_files(directory, manifest)
