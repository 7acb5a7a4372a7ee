"""The smallest thing that is a bundle as far as its manifest and checksums go."""

from dataclasses import replace
from pathlib import Path

import pytest
from any_manifest import MANIFEST

from service.bundle.checksums import list_files


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two files, one of them empty, and the manifest."""
    directory = tmp_path / "b1"
    (directory / "model").mkdir(parents=True)
    (directory / "a.npy").write_bytes(b"12345")
    (directory / "model" / "b.pb").write_bytes(b"")
    replace(MANIFEST, files=list_files(directory)).write(directory)
    return directory
