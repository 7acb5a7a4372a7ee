"""Raise the limit of open files of a process, of which each connection is one."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)

OTHER_FILES = 200
"""Open files of a process that are no connections."""


def allow_connections(most: int) -> None:
    """Raise the limit for so many connections as far as the system allows, and warn where that is less."""
    wanted = most + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            logger.warning(
                "%d connections want %d open files, and %d are allowed: raise `ulimit -Hn`, or set "
                "MATINEE_MAX_CONNECTIONS to less",
                most,
                wanted,
                allowed,
            )
