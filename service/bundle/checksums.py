"""Sizes and SHA-256 of a bundle's files, listed when it is written, verified before it is used.

The standard library only.
"""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path, PurePosixPath

from service.bundle.manifest import MANIFEST_FILE, FileEntry, Manifest
from service.errors import BundleUnreadable, BundleUnsafe, ChecksumDiffers, FileMissing, SizeDiffers


def file_entry(path: Path) -> FileEntry:
    """Size and SHA-256 of one file, read in pieces."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def list_files(directory: Path) -> dict[str, FileEntry]:
    """Entries of every file below `directory` except the manifest, by POSIX path, sorted."""
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    entries = {path.relative_to(directory).as_posix(): file_entry(path) for path in paths}
    entries.pop(MANIFEST_FILE, None)
    return entries


def verify_files(directory: Path, manifest: Manifest) -> None:
    """Check that every file of the manifest is there, inside, and as it was written.

    Raises:
        BundleUnsafe: A path, or a symbolic link, leads out of the bundle, or to what is no file.
        FileMissing: A file is not there.
        BundleUnreadable: A file may not be read.
        SizeDiffers, ChecksumDiffers: A file is not what was written.
    """
    root = directory.resolve()
    for name, expected in manifest.files.items():
        path = directory / name
        if PurePosixPath(name).is_absolute() or not _is_inside(path, root):
            raise BundleUnsafe(f"{path}: leads out of the bundle; do not use this bundle")
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait without end
                raise BundleUnsafe(f"{path}: expected a file, found {stat.filemode(status.st_mode)}")
            size = status.st_size
            if size != expected["bytes"]:
                raise SizeDiffers(f"{path}: expected {expected['bytes']} bytes, found {size}; copy it again")
            found = file_entry(path)
        except FileNotFoundError as error:
            raise FileMissing(f"{path}: expected a file, found none; copy the bundle again") from error
        except OSError as error:
            raise BundleUnreadable(f"{path}: {error.strerror}; copy the bundle again") from error
        if found["sha256"] != expected["sha256"]:
            raise ChecksumDiffers(
                f"{path}: expected sha256 {expected['sha256']}, found {found['sha256']}; copy it again"
            )


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):  # a loop of links, or a name that no file can have
        return False
