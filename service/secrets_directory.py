"""The directory whose files hold variables that are not set, such as passwords."""

from __future__ import annotations

import os
from pathlib import Path

SECRETS_VARIABLE = "MATINEE_SECRETS"
DEFAULT_SECRETS = "/run/secrets"
"""Where Docker puts secrets."""


def secrets_directory() -> Path:
    """The directory, which need not exist."""
    return Path(os.environ.get(SECRETS_VARIABLE) or DEFAULT_SECRETS)


def secret(variable: str) -> str | None:
    """A variable, else the content of the file of its name in lower case; None where there is neither."""
    if value := os.environ.get(variable):
        return value
    try:
        return (secrets_directory() / variable.lower()).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
