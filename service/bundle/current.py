"""CURRENT, PREVIOUS and REFUSED beside the bundles: which is live, which was before, which may not be.

Each holds a bundle's directory name and a newline. The standard library only.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.bundle.checksums import verify_files
from service.bundle.disk import replacing, sync
from service.bundle.locks import exclusive
from service.bundle.manifest import read_manifest
from service.errors import BundleError, BundleUnsafe, NoBundle, NoPrevious

CURRENT_FILE = "CURRENT"
PREVIOUS_FILE = "PREVIOUS"
REFUSED_FILE = "REFUSED"
"""Names the newest bundle, where its quality was too low to go live; gone once a later one is live."""

CHANGE_LOCK = ".CURRENT.lock"
"""Held for the moment in which the two files change."""

_LONGEST_NAME = 255  # of a file, on every file system that matters
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h


def read_current(artifacts: Path) -> Path:
    """The live bundle's directory.

    Raises:
        NoBundle: CURRENT is missing, empty, or names no directory.
        BundleUnsafe: CURRENT names something that is not directly in `artifacts`.
    """
    return _read(artifacts, CURRENT_FILE)


def read_previous(artifacts: Path) -> Path:
    """The directory of the bundle that was live before; raises as `read_current` does."""
    return _read(artifacts, PREVIOUS_FILE)


def check_name(name: str, where: object) -> None:
    """Check that CURRENT, PREVIOUS or REFUSED holds a name of a bundle.

    Args:
        name: What it holds, without the newline.
        where: The file, for the message.

    Raises:
        NoBundle: It is empty, or longer than any name.
        BundleUnsafe: It names something that is not directly beside the file.
    """
    if not name:
        raise NoBundle(f"{where}: is empty; expected the name of a bundle's directory")
    if len(name) > _LONGEST_NAME:
        raise NoBundle(f"{where}: expected the name of a directory beside it, got {len(name)} characters")
    if name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
        raise BundleUnsafe(f"{where}: expected the name of a directory beside it, got {name!r}")


def go_live(artifacts: Path, bundle_id: str) -> None:
    """Make `bundle_id` the live bundle, and the one that was live the previous one.

    PREVIOUS is written first, then CURRENT, each atomically: readers see the old name or the new one, and
    a process that is killed in between leaves the old bundle live.
    """
    with _changing(artifacts):
        try:
            live = read_current(artifacts).name
        except BundleError:
            live = bundle_id  # what cannot be read is nothing to go back to
        if live != bundle_id:
            _write(artifacts, PREVIOUS_FILE, live)
        _write(artifacts, CURRENT_FILE, bundle_id)
        (artifacts / REFUSED_FILE).unlink(missing_ok=True)


def refuse(artifacts: Path, bundle_id: str) -> None:
    """Note that the newest bundle is kept from going live."""
    _write(artifacts, REFUSED_FILE, bundle_id)


def is_refused(artifacts: Path) -> bool:
    """Whether the newest bundle is kept from going live; False where that cannot be seen."""
    return os.path.exists(artifacts / REFUSED_FILE)  # noqa: PTH110 Path.exists raises where it may not look


def roll_back(artifacts: Path) -> str:
    """Exchange CURRENT and PREVIOUS, once the previous bundle was found whole; doing it twice undoes it.

    Returns:
        The id of the bundle that is live now.

    Raises:
        NoPrevious: No bundle was live before, or it is the live one.
        BundleError: The previous bundle is not whole any more.
        OSError: The files cannot be written, such as on a read-only mount.
    """
    with _changing(artifacts):
        try:
            previous = read_previous(artifacts)
        except NoBundle as error:
            raise NoPrevious(f"there is no bundle to go back to: {error}") from error
        try:
            live = read_current(artifacts).name
        except NoBundle as error:
            raise NoPrevious(f"there is no live bundle to exchange with the previous one: {error}") from error
        if previous.name == live:
            raise NoPrevious(f"{artifacts / PREVIOUS_FILE}: names {live}, which is live already")
        verify_files(previous, read_manifest(previous))
        if not _exchanged(artifacts / CURRENT_FILE, artifacts / PREVIOUS_FILE):
            _write(artifacts, CURRENT_FILE, previous.name)
            _write(artifacts, PREVIOUS_FILE, live)
        sync(artifacts)
    return previous.name


@contextmanager
def _changing(artifacts: Path) -> Iterator[None]:
    with exclusive(artifacts / CHANGE_LOCK):
        yield


def _read(artifacts: Path, file_name: str) -> Path:
    path = artifacts / file_name
    try:
        name = path.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise NoBundle(f"{path}: cannot be read ({error}); run `matinee fit` to make a bundle") from error
    check_name(name, path)
    try:
        is_directory = (artifacts / name).is_dir()
    except OSError as error:  # such as a directory that may not be searched
        raise NoBundle(f"{path}: names {name}, which cannot be read ({error})") from error
    if not is_directory:
        raise NoBundle(f"{path}: names {name}, and {artifacts / name} is not a directory")
    return artifacts / name


def _write(artifacts: Path, file_name: str, bundle_id: str) -> None:
    with replacing(artifacts / file_name) as temporary:
        temporary.write_text(f"{bundle_id}\n", encoding="utf-8")
        temporary.chmod(0o644)
        sync(temporary)
    sync(artifacts)


def _exchanged(first: Path, second: Path) -> bool:
    """Exchange two files atomically, where the system and the file system can (renameat2(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    if sys.platform != "linux" or not hasattr(libc, "renameat2"):
        return False
    paths = _AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second)
    return bool(libc.renameat2(*paths, _RENAME_EXCHANGE) == 0)
