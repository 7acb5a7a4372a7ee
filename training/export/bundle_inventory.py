"""List, verify and prune bundles, and lock artifacts for one training at a time."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.bundle.checksums import verify_files
from service.bundle.current import CHANGE_LOCK, CURRENT_FILE, PREVIOUS_FILE, read_current, read_previous
from service.bundle.locks import exclusive
from service.bundle.manifest import MANIFEST_FILE, Manifest, read_manifest
from service.errors import BundleError
from training.errors import AnotherTraining
from training.export.artifacts import make_artifacts, writing

TRAINING_LOCK = ".training.lock"
BUILDING, VERIFYING, REMOVING = ".building-", ".verifying-", ".removing-"
"""Prefixes of half-written and half-removed directories; the process id ends the name."""

_LEFTOVER = re.compile(
    rf"({re.escape(BUILDING)}|{re.escape(VERIFYING)}|{re.escape(REMOVING)}).*"
    rf"|\.({CURRENT_FILE}|{PREVIOUS_FILE})\.\d+"
)


@dataclass(frozen=True)
class BundleEntry:
    """One bundle of an artifacts directory.

    Attributes:
        path: Its directory.
        manifest: None where it cannot be read.
        role: `live`, `previous`, or empty.
        problem: Why the manifest cannot be read, or empty.
    """

    path: Path
    manifest: Manifest | None
    role: str
    problem: str = ""

    @property
    def refusal(self) -> str:
        """Why its quality was too low to go live; empty where it was not."""
        metrics = None if self.manifest is None else self.manifest.metrics
        return str((metrics or {}).get("refused", ""))


@contextmanager
def sole_training(artifacts: Path) -> Iterator[list[str]]:
    """Hold the lock that allows one training or pruning at a time to change `artifacts`.

    The system releases the lock whenever its process ends. So what is half-written once the lock is held
    belongs to no process, and is removed.

    Args:
        artifacts: Where bundles are; made if it does not exist, and removed again if it stays empty.

    Yields:
        The names of what was removed.

    Raises:
        AnotherTraining: Another process holds the lock.
        ExportError: The directory may not be written to.
    """
    lock = artifacts / TRAINING_LOCK
    with ExitStack() as held:
        with writing(artifacts):
            if not artifacts.exists():  # a training that fails at once leaves nothing
                held.callback(_remove_if_empty, artifacts)
            make_artifacts(artifacts)
            try:
                held.enter_context(exclusive(lock, wait=False))
            except BlockingIOError as error:
                holder = lock.read_text(encoding="utf-8").strip() if lock.exists() else "that has just ended"
                raise AnotherTraining(
                    f"{artifacts}: another training (process {holder}) writes here; wait for it to end, "
                    "or name another directory with --artifacts"
                ) from error
            leftovers = _remove_leftovers(artifacts)
        yield leftovers


def _remove_if_empty(artifacts: Path) -> None:
    with suppress(OSError):  # it is not empty
        artifacts.rmdir()


def _remove_leftovers(artifacts: Path) -> list[str]:
    leftovers = sorted(path for path in artifacts.iterdir() if _LEFTOVER.fullmatch(path.name))
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return [path.name for path in leftovers]


def bundles_in(artifacts: Path) -> list[BundleEntry]:
    """List every bundle, the newest first; a directory without a manifest is none."""
    roles = {_name(read_previous, artifacts): "previous", _name(read_current, artifacts): "live"}
    entries = []
    for path in sorted(artifacts.iterdir() if artifacts.is_dir() else ()):
        if path.name.startswith(".") or not os.path.lexists(path / MANIFEST_FILE):
            continue
        role = roles.get(path.name, "")
        try:
            entries.append(BundleEntry(path, read_manifest(path), role))
        except BundleError as error:
            entries.append(BundleEntry(path, None, role, str(error)))
    return sorted(entries, key=_age, reverse=True)


def prune(artifacts: Path, keep: int) -> list[str]:
    """Remove bundles but for the newest `keep`, the live and the previous one; call it in `sole_training`.

    Of bundles that can be served the newest count. Refused ones are kept beside them while they are newer
    than the live one, and those whose manifest cannot be read, which have no age, while there are fewer than
    `keep` others.

    Returns:
        The ids of the removed bundles.
    """
    removed = []
    # Under the lock of CURRENT, so that no rollback makes a bundle live while it is removed.
    with exclusive(artifacts / CHANGE_LOCK):
        for entry in _superfluous(bundles_in(artifacts), keep):
            removing = artifacts / f"{REMOVING}{entry.path.name}-{os.getpid()}"
            entry.path.rename(removing)
            removed.append(removing)
    for path in removed:
        shutil.rmtree(path)
    return [path.name.removeprefix(REMOVING).rpartition("-")[0] for path in removed]


def _superfluous(entries: Sequence[BundleEntry], keep: int) -> Iterator[BundleEntry]:
    """Yield the entries to remove, of all, the newest first."""
    num_kept, is_newer = 0, True
    for entry in entries:
        if entry.role:
            is_newer = is_newer and entry.role != "live"
            num_kept += 1
        elif entry.refusal:
            if not is_newer:
                yield entry
        elif num_kept >= keep:
            yield entry
        elif entry.manifest is not None:
            num_kept += 1


def verify_whole(bundle: Path) -> Manifest:
    """Compare the size and checksum of every file with the manifest.

    Raises:
        BundleError: Its subclass and message say which file is wrong, and how.
    """
    manifest = read_manifest(bundle)
    verify_files(bundle, manifest)
    return manifest


def _name(read: Callable[[Path], Path], artifacts: Path) -> str | None:
    try:
        return read(artifacts).name
    except BundleError:
        return None


def _age(entry: BundleEntry) -> tuple[str, str]:
    return "" if entry.manifest is None else entry.manifest.created_utc, entry.path.name
