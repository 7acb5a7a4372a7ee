"""From the setting MATINEE_STORE to a database."""

from __future__ import annotations

from pathlib import Path

from service.live.database import Database
from service.live.sqlite_database import SqliteDatabase
from service.secrets_directory import secret

POSTGRES = ("postgresql://", "postgres://")
OFF = "off"
PASSWORD_VARIABLE = "MATINEE_STORE_PASSWORD"  # noqa: S105 a name


def database_of(setting: str) -> Database | None:
    """The database that a setting names; nothing is opened yet.

    Args:
        setting: A path, a URL of PostgreSQL, or `off`. A password that a URL lacks is that of
            MATINEE_STORE_PASSWORD, or of the file `matinee_store_password` among the secrets.

    Returns:
        None for `off`.

    Raises:
        StoreRefused: A URL that is none.
    """
    if setting == OFF:
        return None
    if setting.startswith(POSTGRES):
        from service.live.postgres_database import PostgresDatabase  # noqa: PLC0415 few need it

        return PostgresDatabase(setting, password=secret(PASSWORD_VARIABLE))
    return SqliteDatabase(Path(setting))
