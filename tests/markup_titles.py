"""The tiny bundle with titles that are HTML markup, which a page must show as text."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from tiny_bundle import seal

from service.bundle.catalogue import Catalogue

SCRIPT_ROW, SCRIPT_TITLE = 3, "<script>window.ran = 1</script>"


def with_markup(tiny_artifacts: Path, copy: Path) -> Path:
    """Write a copy in which every fifth title is an image, and one a script."""
    shutil.copytree(tiny_artifacts, copy)
    catalogue = Catalogue.open(copy / "tiny-1")
    titles = [
        f"<img src=x onerror=window.ran=1> {title}" if row % 5 == 0 else title
        for row, title in enumerate(catalogue.titles)
    ]
    titles[SCRIPT_ROW] = SCRIPT_TITLE
    replace(catalogue, titles=titles).write(copy / "tiny-1")
    seal(copy / "tiny-1")
    return copy
