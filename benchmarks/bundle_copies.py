"""Copy a bundle under new names, for what needs several to serve one after another."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from service.bundle.current import go_live
from service.bundle.manifest import read_manifest


def copies_of(bundle: Path, artifacts: Path, count: int) -> list[Path]:
    """Copy the bundle under new names; make the first copy live."""
    manifest = read_manifest(bundle)
    copies = []
    for number in range(count):
        copy = Path(shutil.copytree(bundle, artifacts / f"copy-{number:02d}"))
        replace(manifest, bundle_id=copy.name).write(copy)
        copies.append(copy)
    go_live(artifacts, copies[0].name)
    return copies
