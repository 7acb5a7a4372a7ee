"""What is too old is deleted, on both databases."""

import pytest

from service.live import store
from service.live.database import Connection, Database
from service.live.events import Event
from service.live.migration import migrate
from service.live.retention import compact


@pytest.fixture
def database(any_database: Database) -> Database:
    migrate(any_database)
    return any_database


def test_event_ids_are_forgotten_after_their_time(database: Database) -> None:
    click = [Event("ann", "m1", "click", None, 5, "c1")]
    with database.borrow() as connection:
        put(connection, click, now=1_000)
        assert not compact(connection, event_ids_before=1_000, appended_before=0, most=10)
        assert put(connection, click, now=1_000) == "unchanged"
        compact(connection, event_ids_before=1_001, appended_before=0, most=10)
        assert put(connection, click, now=1_001) == "stored"


def put(connection: Connection, events: list[Event], now: int) -> str:
    with connection.transaction():
        [verdict] = store.apply(connection, events, now=now, key=b"k").verdicts
    return verdict.value
