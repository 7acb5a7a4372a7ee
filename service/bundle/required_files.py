"""The files that a bundle must have, as each format's module names them."""

from __future__ import annotations

from pathlib import Path

from service.bundle import candidate_index, catalogue, golden_requests, histories, rating_head, saved_model
from service.bundle.manifest import Manifest
from service.errors import BundleInconsistent

_FORMATS = (candidate_index, catalogue, golden_requests, histories, saved_model)


def required_files(manifest: Manifest) -> set[str]:
    """POSIX paths inside a bundle; its manifest must list them, and may list more."""
    files = {name for each in _FORMATS for name in each.FILES}
    if manifest.rating_scale is not None:
        files.update(rating_head.FILES)
    if manifest.index.backend in candidate_index.INDEX_FILES:
        files.add(candidate_index.INDEX_FILES[manifest.index.backend])
    return files


def require_listed(directory: Path, manifest: Manifest) -> None:
    """Check that the manifest of a bundle lists the files it must have.

    Raises:
        BundleInconsistent: It does not.
    """
    if unlisted := sorted(required_files(manifest) - manifest.files.keys()):
        raise BundleInconsistent(f"{directory}: the manifest does not list {unlisted}; export again")
