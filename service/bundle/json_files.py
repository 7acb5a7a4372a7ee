"""Read and write a bundle's JSON files; the standard library only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.bundle.disk import replacing
from service.errors import BundleInconsistent, BundleUnreadable


def write_json(path: Path, document: object, *, indent: int | None = None) -> None:
    """Write a JSON document in UTF-8, replacing the file whole.

    Raises:
        ValueError: NaN or infinity, which JSON does not have.
        OSError: The file cannot be written.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent)
    with replacing(path) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises:
        BundleUnreadable: The file is missing or may not be read.
        BundleInconsistent: It is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise BundleUnreadable(f"{path}: {error.strerror}; copy the bundle again") from error
    except (ValueError, RecursionError) as error:
        raise BundleInconsistent(f"{path}: not JSON ({error}); export again") from error
