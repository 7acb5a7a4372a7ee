"""The bundles there are: which of them are live, previous, old, whole; and what killed trainings left."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
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
"""How directories are named that are half-written or half-removed; the process's number ends the name."""

_LEFTOVER = re.compile(
    rf"({re.escape(BUILDING)}|{re.escape(VERIFYING)}|{re.escape(REMOVING)}).*"
    rf"|\.({CURRENT_FILE}|{PREVIOUS_FILE})\.\d+"
)


@dataclass(frozen=True)
class Shelved:
    """One bundle.

    Attributes:
        path: Its directory.
        manifest: None where it cannot be read.
        role: `live`, `previous`, or nothing.
        trouble: What is wrong with its manifest, if anything.
    """

    path: Path
    manifest: Manifest | None
    role: str
    trouble: str = ""


@contextmanager
def sole_training(artifacts: Path) -> Iterator[list[str]]:
    """Within it no other training or pruning changes `artifacts`; yields the leftovers that it removed first.

    The lock ends with the process, however that ends: whatever half-written thing is there now is nobody's.

    Raises:
        AnotherTraining: One is at work there.
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
    with suppress(OSError):  # there is something in it
        artifacts.rmdir()


def _remove_leftovers(artifacts: Path) -> list[str]:
    leftovers = sorted(path for path in artifacts.iterdir() if _LEFTOVER.fullmatch(path.name))
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return [path.name for path in leftovers]


def bundles_in(artifacts: Path) -> list[Shelved]:
    """Every bundle, the newest first; directories without a manifest are none."""
    roles = {_name(read_previous, artifacts): "previous", _name(read_current, artifacts): "live"}
    shelved = []
    for path in sorted(artifacts.iterdir() if artifacts.is_dir() else ()):
        if path.name.startswith(".") or not os.path.lexists(path / MANIFEST_FILE):
            continue
        role = roles.get(path.name, "")
        try:
            shelved.append(Shelved(path, read_manifest(path), role))
        except BundleError as error:
            shelved.append(Shelved(path, None, role, str(error)))
    return sorted(shelved, key=_age, reverse=True)


def prune(artifacts: Path, keep: int) -> list[str]:
    """Removes bundles but for the newest `keep`, the live and the previous one; call it in `sole_training`.

    Bundles whose manifest cannot be read have no age, and count as the oldest.

    Returns:
        What was removed.
    """
    removed = []
    # Under the lock of CURRENT, so that no rollback makes live what is being removed.
    with exclusive(artifacts / CHANGE_LOCK):
        for shelved in bundles_in(artifacts)[keep:]:
            if shelved.role:
                continue
            removing = artifacts / f"{REMOVING}{shelved.path.name}-{os.getpid()}"
            shelved.path.rename(removing)
            removed.append(removing)
    for path in removed:
        shutil.rmtree(path)
    return [path.name.removeprefix(REMOVING).rpartition("-")[0] for path in removed]


def verify_whole(bundle: Path) -> Manifest:
    """Compares every file with the manifest.

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


def _age(shelved: Shelved) -> tuple[str, str]:
    return "" if shelved.manifest is None else shelved.manifest.created_utc, shelved.path.name
