"""The tiny bundle with titles that are HTML markup, which a page must show as text."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tiny_bundle import seal

from service.bundle import CATALOGUE_FILE

SCRIPT_ROW, SCRIPT_TITLE = 3, "<script>window.ran = 1</script>"


def with_markup(tiny_artifacts: Path, copy: Path) -> Path:
    """Write a copy in which every fifth title is an image, and one a script."""
    shutil.copytree(tiny_artifacts, copy)
    path = copy / "tiny-1" / CATALOGUE_FILE
    catalogue = json.loads(path.read_text(encoding="utf-8"))
    catalogue["titles"] = [
        f"<img src=x onerror=window.ran=1> {title}" if row % 5 == 0 else title
        for row, title in enumerate(catalogue["titles"])
    ]
    catalogue["titles"][SCRIPT_ROW] = SCRIPT_TITLE
    path.write_text(json.dumps(catalogue), encoding="utf-8")
    seal(copy / "tiny-1")
    return copy
