"""How many files a process may have open, of which each connection is one."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)

OTHER_FILES = 200
"""That a process has open beside connections."""


def allow_connections(most: int) -> None:
    """Has the system let this process open as many, if it may be asked to; says so if not."""
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
