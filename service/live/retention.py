"""How long clicks, impressions and event ids are kept, and deleting those that are too old."""

from __future__ import annotations

from typing import NamedTuple

from service.live import statements
from service.live.database import Connection


class Retention(NamedTuple):
    """How long what is only appended is kept, in seconds.

    Attributes:
        event_ids_seconds: Ids of events, from when they were stored.
        appended_seconds: Clicks and impressions, from their own time.
    """

    event_ids_seconds: int
    appended_seconds: int


NO_END = Retention(2**40, 2**40)


def compact(connection: Connection, *, event_ids_before: int, appended_before: int, most: int) -> bool:
    """Delete event ids and appended events that are too old, in a transaction of its own where there are any.

    Args:
        connection: To write with.
        event_ids_before: Unix seconds before which ids must have been stored.
        appended_before: Unix seconds before which clicks and impressions must have been.
        most: Of each at once: others that write wait for so many.

    Returns:
        Whether there may be more.
    """
    event_ids = connection.read(statements.EXPIRED_EVENT_IDS, (event_ids_before, most))
    appended = connection.read(statements.EXPIRED_APPENDED, (appended_before, most))
    if not event_ids and not appended:
        return False
    with connection.transaction():
        connection.write_many(statements.DELETE_EVENT_ID, event_ids)
        connection.write_many(statements.DELETE_APPENDED, appended)
    return most in (len(event_ids), len(appended))
