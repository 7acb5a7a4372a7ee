"""A local directory of bundles that follows an object storage: whole, verified copies, and CURRENT."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from service.bundle.checksums import verify_files
from service.bundle.current import CURRENT_FILE, PREVIOUS_FILE, REFUSED_FILE, go_live, refuse
from service.bundle.disk import sync
from service.bundle.locks import exclusive
from service.bundle.manifest import MANIFEST_FILE, read_manifest
from service.bundle.object_storage import ObjectStorage
from service.errors import BundleError, NoBundle, StorageAway

DEFAULT_CACHE = Path("artifacts-cache")
KEPT_BUNDLES = 3
"""The newest so many copies are kept, and the live and the previous one always: as `matinee prune` does."""

_LOCK = ".mirror.lock"
_FETCHING, _REMOVING = ".fetching-", ".removing-"


def cache_of(url: str, cache: Path) -> Path:
    """The directory of one URL's bundles, so that bundles of two are never mixed."""
    return cache.absolute() / hashlib.sha256(url.encode()).hexdigest()[:16]


class MirroredArtifacts:
    """Copies of what is live in a storage.

    Args:
        storage: Where bundles are.
        directory: Of the copies; made where it is missing.

    Attributes:
        directory: As given.
        wanted: What CURRENT in the storage named at the last update; None where it was not read.
    """

    def __init__(self, storage: ObjectStorage, directory: Path) -> None:
        self._storage = storage
        self.directory = directory
        self.wanted: str | None = None
        self._verified: set[str] = set()

    def update(self) -> str:
        """Have CURRENT name what it names in the storage, once all of that bundle is here and verified.

        Where the live bundle of the storage is not whole and none is here, the previous one is fetched.

        Returns:
            The id of the live bundle.

        Raises:
            NoBundle: None is live in the storage.
            StorageAway: The storage cannot be reached.
            BundleError: The live bundle is not whole; what is here is unchanged.
            OSError: The directory cannot be written to.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with exclusive(self.directory / _LOCK):
            self.wanted = None
            self._remove_leftovers()
            self._note_refusal()
            self.wanted = live = self._storage.read_name(CURRENT_FILE)
            if live is None:
                raise NoBundle(
                    f"{self._storage.name}/CURRENT: is not there; run `matinee fit` to make a bundle"
                )
            try:
                self._have(live)
            except StorageAway:
                raise
            except BundleError:
                self._have_previous()
                raise
            if self._name(CURRENT_FILE) != live:
                go_live(self.directory, live)
                self.prune()
        return live

    def prune(self) -> None:
        """Remove all copies but the newest `KEPT_BUNDLES`, the live and the previous one."""
        named = {self._name(CURRENT_FILE), self._name(PREVIOUS_FILE)}
        bundles = [path.parent for path in self.directory.glob(f"[!.]*/{MANIFEST_FILE}")]
        bundles.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in bundles[KEPT_BUNDLES:]:
            if path.name not in named:
                self._remove(path)

    def _have(self, bundle_id: str) -> None:
        if bundle_id in self._verified:
            return
        directory = self.directory / bundle_id
        if not self._is_whole(directory):
            fetching = self.directory / f"{_FETCHING}{bundle_id}-{os.getpid()}"
            try:
                fetching.mkdir()
                fetched = self._storage.fetch(bundle_id, fetching)
                for path in [fetched, *fetched.rglob("*")]:
                    path.chmod(0o755 if path.is_dir() else 0o644)
                    sync(path)
                self._remove(directory)
                fetched.rename(directory)
                sync(self.directory)
            finally:
                shutil.rmtree(fetching, ignore_errors=True)
        self._verified.add(bundle_id)

    def _have_previous(self) -> None:
        previous = self._storage.read_name(PREVIOUS_FILE)
        if previous is not None and self._name(CURRENT_FILE) is None:
            self._have(previous)
            go_live(self.directory, previous)

    def _is_whole(self, directory: Path) -> bool:
        try:
            verify_files(directory, read_manifest(directory))
        except BundleError:
            return False
        return True

    def _note_refusal(self) -> None:
        refused = self._storage.read_name(REFUSED_FILE)
        if refused is None:
            (self.directory / REFUSED_FILE).unlink(missing_ok=True)
        elif refused != self._name(REFUSED_FILE):
            refuse(self.directory, refused)

    def _remove(self, directory: Path) -> None:
        self._verified.discard(directory.name)
        if directory.exists():
            removing = self.directory / f"{_REMOVING}{directory.name}-{os.getpid()}"
            directory.rename(removing)
            shutil.rmtree(removing)

    def _remove_leftovers(self) -> None:
        for prefix in (_FETCHING, _REMOVING):
            for path in self.directory.glob(f"{prefix}*"):
                shutil.rmtree(path, ignore_errors=True)

    def _name(self, file_name: str) -> str | None:
        try:
            return (self.directory / file_name).read_text(encoding="utf-8").removesuffix("\n")
        except OSError:
            return None
