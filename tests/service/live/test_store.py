"""The statements of the store, on every database."""

import threading

import pytest

from benchmarks.postgres_server import PostgresServer
from service.errors import StoreAway, StoreRefused
from service.live import statements, store
from service.live.database import Connection, Database
from service.live.events import Event
from service.live.migration import check_schema, migrate
from service.live.opening import database_of

KEY = b"k" * 32


def put(writer: Connection, *events: Event, now: int = 1_000) -> list[str]:
    with writer.transaction():
        changes = store.apply(writer, events, now=now, key=KEY)
    return [verdict.value for verdict in changes.verdicts]


def test_what_is_put_is_read_back_as_it_was(writer: Connection) -> None:
    events = [
        Event("ann", "m1", "rating", 4.5, 10),
        Event("a\0b é🎬", "", "watch", None, 2**40),
        Event("ann", "m1", "click", None, 30, "c1", "r1", 3),
        Event("ann", "m2", "hide", None, None),
    ]
    assert put(writer, *events) == ["stored"] * 4
    assert put(writer, *events[:3]) == ["unchanged"] * 3
    exported = [each.event for each in store.export_after(writer, 0, 10)]
    assert exported == [*events[:3], events[3]._replace(timestamp=1_000)]
    assert store.versions_of(writer, ["ann", "a\0b é🎬", "nobody"]) == {"ann": 4, "a\0b é🎬": 2}
    kept = store.feedback_of(writer, "ann")
    assert (kept.version, len(kept.states), kept.counts) == (4, 2, {"click": 1})


def test_thousands_of_events_at_once_are_the_same_as_one_after_another(writer: Connection) -> None:
    events = [
        Event(f"u{place % 700}", f"m{place % 900}", "rating", float(place % 5), place % 1_300)
        for place in range(3_000)
    ] + [Event("ann", "m1", "impression", event_id=f"i{place % 400}") for place in range(800)]
    verdicts = put(writer, *events)
    assert verdicts.count("stored") == store.position_of(writer)
    assert verdicts[3_000:].count("stored") == 400
    latest: dict[tuple[str, str], Event] = {}
    for event in events[:3_000]:
        former = latest.get((event.user_id, event.movie_id))
        if former is None or (event.timestamp or 0) >= (former.timestamp or 0):
            latest[event.user_id, event.movie_id] = event
    states = store.states_of(writer, [f"u{number}" for number in range(700)])
    assert {(each.user_id, each.movie_id): (each.value, each.timestamp) for each in states} == {
        key: (event.value, event.timestamp) for key, event in latest.items()
    }
    assert "stored" not in put(writer, *events[:3_000], *events[3_000:])


def test_a_forgotten_user_leaves_a_hash_and_no_row(writer: Connection) -> None:
    put(
        writer,
        Event("ann", "m1", "watch", None, 10),
        Event("ann", "m1", "click"),
        Event("bob", "m1", "hide"),
    )
    with writer.transaction():
        position = store.forget(writer, "ann", now=1_000, key=KEY)
    assert position == 4
    assert {each.event.user_id for each in store.export_after(writer, 0, 10)} == {"bob"}
    assert store.feedback_of(writer, "ann") == (0, [], {})
    [[digest, at]] = writer.read(statements.NEW_TOMBSTONES, (0,))
    assert (len(bytes(digest)), at) == (32, 4)


def test_an_import_is_noted_with_what_it_stores_or_not_at_all(writer: Connection) -> None:
    def fail() -> None:
        with writer.transaction():
            store.apply(writer, [Event("ann", "m1", "watch")], now=10, key=KEY)
            store.note_import(writer, "i", 5)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (store.records_imported(writer, "i"), store.position_of(writer)) == (0, 0)
    with writer.transaction():
        store.note_import(writer, "i", 5)
        store.note_import(writer, "i", 9)
    assert store.records_imported(writer, "i") == 9


def test_writers_of_several_connections_keep_the_order_of_positions(
    any_database: Database, writer: Connection
) -> None:
    def write(number: int) -> None:
        own = any_database.connect()
        for place in range(15):
            put(own, Event(f"u{number}", f"m{place}", "watch"), Event("all", "m1", "rating", float(place)))
        own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen = 0
    while any(thread.is_alive() for thread in threads):
        new = [each.position for each in store.export_after(writer, seen, 1_000)]
        assert new == sorted(new)
        seen = new[-1] if new else seen
    for thread in threads:
        thread.join()
    assert len(store.states_of(writer, [f"u{number}" for number in range(4)])) == 60
    assert store.position_of(writer) <= 120


def test_a_newer_schema_is_refused_and_an_absent_one_is_no_error(any_database: Database) -> None:
    check_schema(any_database)
    migrate(any_database)
    migrate(any_database)
    writer = any_database.connect()
    with writer.transaction():
        writer.write(statements.SET_SCHEMA, (99,))
    writer.close()
    for use in (migrate, check_schema):
        with pytest.raises(StoreRefused, match="schema 2 or older, got 99"):
            use(any_database)


def test_many_migrations_at_once_make_one_store(any_database: Database) -> None:
    failed: list[Exception] = []

    def make() -> None:
        try:
            migrate(any_database)
        except Exception as error:  # noqa: BLE001 reported below
            failed.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_database_that_is_away_is_said_without_its_password() -> None:
    database = database_of("postgresql://someone:secret@127.0.0.1:1/nowhere")
    assert database is not None
    with pytest.raises(StoreAway, match=r"127\.0\.0\.1") as raised:
        migrate(database)
    assert "secret" not in str(raised.value)
    with pytest.raises(StoreRefused):
        database_of("postgresql://[")


def test_text_is_text_in_a_database_without_an_encoding(postgres: PostgresServer) -> None:
    # As `initdb` makes it where the locale is C.
    database = database_of(
        postgres.create("ascii", "--encoding=SQL_ASCII", "--locale=C", "--template=template0")
    )
    assert database is not None
    migrate(database)
    writer = database.connect()
    put(writer, Event("a é", "m1", "watch", None, 10), Event("a é", "m1", "click"))
    kept = store.feedback_of(writer, "a é")
    assert [state.type for state in kept.states] == ["watch"]
    assert kept.counts == {"click": 1}
    writer.close()
