"""Make the tables of a store, or bring those of an older one up to date."""

from __future__ import annotations

import secrets
from contextlib import closing

from service.errors import StoreError, StoreRefused
from service.live import recommendation_ids, statements, tombstones
from service.live.database import Database, ReadingConnection
from service.live.tombstones import KEY_BYTES


def migrate(database: Database) -> None:
    """Make the tables, or bring them up to date; safe in several processes at once.

    Raises:
        StoreRefused: A newer service made it.
        StoreError: The database cannot be used.
    """
    with closing(database.connect()) as connection:
        if _migrations_done(database, connection) == statements.SCHEMA_VERSION:
            return
        with connection.transaction():
            connection.write(statements.CREATE_FACTS)
            done = _schema(connection)  # another process may have done it since
            for version in statements.MIGRATIONS[done:]:
                for statement in version:
                    connection.write(statement.format(clustered=database.clustered))
            connection.write(statements.SET_SCHEMA, (statements.SCHEMA_VERSION,))
            for name in (tombstones.KEY_NAME, recommendation_ids.KEY_NAME):
                connection.write(statements.ADD_KEY, (name, secrets.token_bytes(KEY_BYTES)))


def check_schema(database: Database) -> None:
    """See whether this service may use what is there, without making anything of it.

    Raises:
        StoreRefused: A newer service made it.
        StoreError: The database cannot be used.
    """
    with closing(database.connect()) as connection:
        _migrations_done(database, connection)


def require_schema(database: Database, connection: ReadingConnection) -> None:
    """See whether what is there has the tables of this release.

    Raises:
        StoreRefused: There is no store, an older one, or a newer one.
        StoreError: The database cannot be used.
    """
    if (done := _migrations_done(database, connection)) < statements.SCHEMA_VERSION:
        raise StoreRefused(
            f"{database.name}: expected a store of schema {statements.SCHEMA_VERSION}, got "
            f"{done or 'no store at all'}; the service makes it, or brings it up to date, when it starts"
        )


def _migrations_done(database: Database, connection: ReadingConnection) -> int:
    try:
        done = _schema(connection)
    except StoreError as error:
        if database.is_missing_table(error):
            return 0
        raise
    if done > statements.SCHEMA_VERSION:
        raise StoreRefused(
            f"{database.name}: expected a store of schema {statements.SCHEMA_VERSION} or older, got {done}: "
            "a newer service made it; run that, or choose another MATINEE_STORE"
        )
    return done


def _schema(connection: ReadingConnection) -> int:
    rows = connection.read(statements.SCHEMA)
    return int(rows[0][0]) if rows else 0
