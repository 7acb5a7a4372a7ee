"""Where `fit` writes bundles: a directory, or one whose new bundle is published in an object storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.bundle.current import REFUSED_FILE, read_current
from service.bundle.mirrored_artifacts import DEFAULT_CACHE, MirroredArtifacts, cache_of
from service.bundle.object_storage import ObjectStorage, is_url
from service.errors import BundleError, NoBundle, StorageAway
from training.errors import BundleRefused, ExportError

_CACHE_VARIABLE = "MATINEE_ARTIFACTS_CACHE"


class PublishedArtifacts:
    """The directory that a training writes to, and what is to be done with what it wrote.

    Args:
        artifacts: A directory, or a URL such as `s3://bucket/prefix`.

    Raises:
        ExportError: The URL cannot be used.
    """

    def __init__(self, artifacts: str) -> None:
        self._storage: ObjectStorage | None = None
        self.directory = Path(artifacts)
        if is_url(artifacts):
            self._storage = _usable(artifacts)
            cache = Path(os.environ.get(_CACHE_VARIABLE) or DEFAULT_CACHE)
            # Not the service's: a bundle is to go live there only once it is in the storage.
            self.directory = cache_of(f"training {artifacts}", cache)

    def live(self) -> Path:
        """The live bundle's directory, here; that of a storage is copied first.

        Raises:
            BundleError: None is live, it is not whole, or the storage cannot be reached.
        """
        if self._storage is not None:
            MirroredArtifacts(self._storage, self.directory).update()
        return read_current(self.directory)

    @contextmanager
    def published(self) -> Iterator[None]:
        """Have the block begin with the live bundle, and publish the one that it writes, live or refused.

        Raises:
            ExportError: The storage cannot be reached, or not be written to.
        """
        if self._storage is None:
            yield
            return
        mirrored = MirroredArtifacts(self._storage, self.directory)
        try:
            mirrored.update()
        except NoBundle:
            pass
        except StorageAway as error:
            raise ExportError(str(error)) from error
        except BundleError:  # a damaged bundle is a reason to train, not to be kept from it
            pass
        try:
            yield
        except BundleRefused:
            self._publish(mirrored, self._storage, is_refused=True)
            raise
        self._publish(mirrored, self._storage, is_refused=False)

    def _publish(self, mirrored: MirroredArtifacts, storage: ObjectStorage, *, is_refused: bool) -> None:
        try:
            if is_refused:
                name = (self.directory / REFUSED_FILE).read_text(encoding="utf-8").removesuffix("\n")
                storage.publish(self.directory / name)
                storage.refuse(name)
            else:
                bundle = read_current(self.directory)
                storage.publish(bundle)
                storage.go_live(bundle.name)
                mirrored.prune()
        except (BundleError, OSError) as error:
            raise ExportError(f"{error}; the bundle is in {self.directory} and not in the storage") from error


def roll_back_storage(url: str) -> str:
    """Exchange CURRENT and PREVIOUS of an object storage.

    Returns:
        The id of the bundle that is live now.

    Raises:
        ExportError: The URL cannot be used.
        NoPrevious: No bundle was live before.
        StorageAway: The storage cannot be reached, or not be written to.
    """
    return _usable(url).roll_back()


def _usable(url: str) -> ObjectStorage:
    try:
        return ObjectStorage(url)
    except StorageAway as error:
        raise ExportError(str(error)) from error
