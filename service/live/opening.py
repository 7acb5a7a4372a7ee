"""From the setting MATINEE_STORE to a database."""

from __future__ import annotations

from pathlib import Path

from service.live.database import Database
from service.live.sqlite_database import SqliteDatabase

OFF = "off"


def database_of(setting: str) -> Database | None:
    """The database that a setting names; nothing is opened yet.

    Args:
        setting: A path, or `off`.

    Returns:
        None for `off`.
    """
    if setting == OFF:
        return None
    return SqliteDatabase(Path(setting))
