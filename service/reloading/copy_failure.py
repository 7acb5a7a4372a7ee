"""Why the bundle that is live in an object storage is not the one here, as a file beside CURRENT.

The process that copies writes it, and the supervisor, which has it shown as any refusal, reads it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from service import errors
from service.bundle.disk import replacing
from service.errors import BundleError, BundleUnreadable
from service.reloading.refusals import Refusal

NOT_COPIED_FILE = "NOT_COPIED"


def note_failure(directory: Path, bundle_id: str | None, error: BundleError | OSError) -> None:
    """Write why; where the directory cannot be written to, only the log says it.

    Args:
        directory: Of the copies.
        bundle_id: Of the bundle that was to be copied, if that much is known.
        error: What came up; an `OSError` is one of the directory.
    """
    if isinstance(error, OSError):
        error = BundleUnreadable(f"{error}; have {directory} writable, with room for another bundle")
    refusal = Refusal(bundle_id, type(error).__name__, str(error), datetime.now(UTC))
    with suppress(OSError), replacing(directory / NOT_COPIED_FILE) as file:
        file.write_text(json.dumps(refusal.to_document()), encoding="utf-8")


def note_success(directory: Path) -> None:
    """Remove it."""
    (directory / NOT_COPIED_FILE).unlink(missing_ok=True)


def read_failure(directory: Path) -> Refusal | None:
    """Read why; None where the last try went well, or what is there is of another release."""
    try:
        refusal = Refusal.from_document(json.loads((directory / NOT_COPIED_FILE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    known = refusal is not None and isinstance(getattr(errors, refusal.error, None), type)
    return refusal if known else None
