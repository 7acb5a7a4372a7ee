"""The environment variables `MATINEE_*`, and the refusal of others: a misspelt one would be ignored."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from difflib import get_close_matches

from service.live.opening import PASSWORD_VARIABLE
from service.secrets_directory import SECRETS_VARIABLE
from service.settings import Settings

PREFIX = "MATINEE_"

BESIDE_SETTINGS = frozenset(
    {
        SECRETS_VARIABLE,
        PASSWORD_VARIABLE,
        "MATINEE_REMEMBERED_USERS",  # the former name of MATINEE_CACHED_USERS
        # Of Compose and of the images, see docs/deployment.md.
        "MATINEE_DATA",
        "MATINEE_FULL_EVERY",
        "MATINEE_MARGIN",
        "MATINEE_MEMORY",
        "MATINEE_PUBLISH",
        "MATINEE_RETRAIN_SECONDS",
        "MATINEE_STORE_PASSWORD_FILE",
        "MATINEE_API_KEY",  # of the load test
        "MATINEE_MUTANTS",  # of `make mutants`
    }
)
"""What something of this repository reads, beside the settings of the service."""

# Kubernetes gives these to every container beside a Service whose name begins with `matinee`.
_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?$")


def known_variables() -> set[str]:
    """The name of every variable that is read."""
    return {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | BESIDE_SETTINGS


def unknown_variables(names: Iterable[str] | None = None) -> list[str]:
    """Describe variables that nothing reads, a line for each, with the name that may be meant.

    Args:
        names: Of variables; None: of this process's.
    """
    known = known_variables()
    unknown = [
        name
        for name in sorted(os.environ if names is None else names)
        if name.startswith(PREFIX) and name not in known and not _SERVICE_LINK.search(name)
    ]
    return [f"{name}: no such variable{_nearest(name, known)}; correct it, or unset it" for name in unknown]


def _nearest(name: str, known: set[str]) -> str:
    # Without what they share, or everything would be near.
    names = [each.removeprefix(PREFIX) for each in sorted(known)]
    near = get_close_matches(name.removeprefix(PREFIX), names, n=1)
    return f", did you mean {PREFIX}{near[0]}?" if near else ", docs/settings.md lists those there are"
