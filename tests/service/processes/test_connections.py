"""Which connection is closed where there are too many, with connections that only note it."""

from types import SimpleNamespace
from typing import Any

from service.processes.connections import Connections
from service.telemetry.observer import Observer


class Stub:
    """Stands in for a connection."""

    def __init__(self) -> None:
        self.is_closed = False
        self.loop = SimpleNamespace(time=lambda: Stub.now)
        self.transport = SimpleNamespace(abort=self.close)

    now = 0.0

    def close(self) -> None:
        self.is_closed = True


def opened(connections: Connections) -> Any:
    connection: Any = Stub()
    assert connections.opened(connection)
    connections.waits(connection)
    Stub.now += 1
    return connection


def closed(*connections: Any) -> list[bool]:
    return [connection.is_closed for connection in connections]


def test_one_too_many_closes_the_connection_that_has_waited_longest() -> None:
    connections = Connections(Observer(), most=2, receive_seconds=60)
    first, second, third = (opened(connections) for _ in range(3))
    assert closed(first, second, third) == [True, False, False]


def test_a_connection_that_waits_anew_takes_the_last_place() -> None:
    connections = Connections(Observer(), most=2, receive_seconds=60)
    first, second = (opened(connections) for _ in range(2))
    connections.waits(first)
    opened(connections)
    assert closed(first, second) == [False, True]


def test_a_connection_that_is_answered_is_not_closed_for_another() -> None:
    connections = Connections(Observer(), most=2, receive_seconds=60)
    first, second = (opened(connections) for _ in range(2))
    connections.asked(first)
    opened(connections)
    assert closed(first, second) == [False, True]


def test_where_all_are_answered_one_more_is_refused() -> None:
    connections = Connections(Observer(), most=1, receive_seconds=60)
    first = opened(connections)
    connections.asked(first)
    another: Any = Stub()
    assert not connections.opened(another)
    connections.lost(another)
    connections.lost(first)
    assert connections.num_open == 0
    assert connections.opened(another)


def test_what_waits_too_long_is_closed() -> None:
    connections = Connections(Observer(), most=9, receive_seconds=10)
    first, second = (opened(connections) for _ in range(2))
    connections.waits(first)
    began = Stub.now - 1  # when the second began to wait
    connections.close_slow_ones(began + 10)
    assert closed(first, second) == [False, False]
    connections.close_slow_ones(began + 10.5)
    assert closed(first, second) == [False, True]
