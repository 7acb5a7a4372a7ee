"""What is written to a connection, with a transport that only notes it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from service.processes.joined_writes import JoinedWrites


class Noting:
    """Stands in for a transport."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def writelines(self, parts: Iterable[bytes]) -> None:
        self.written.append(b"".join(parts))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


def joined(*, started: bool = True) -> tuple[JoinedWrites, Noting, Any]:
    transport, cycle = Noting(), SimpleNamespace(response_started=started)
    return JoinedWrites(transport, cycle), transport, cycle  # type: ignore[arg-type] # stand-ins


def test_the_head_is_sent_with_the_first_of_the_body_and_the_rest_as_it_comes() -> None:
    writes, transport, _ = joined()
    writes.write(b"head ")
    assert transport.written == []
    for part in (b"first", b"second", b""):
        writes.write(part)
    assert transport.written == [b"head first", b"second", b""]


def test_a_body_of_any_length_follows_its_head_in_one_write() -> None:
    for num_bytes in (1, 65_536, 65_537, 1_000_000):
        writes, transport, _ = joined()
        for part in (b"head ", b"x" * num_bytes, b"rest"):
            writes.write(part)
        assert transport.written == [b"head " + b"x" * num_bytes, b"rest"]


def test_a_head_without_a_body_is_sent_with_nothing_after_it() -> None:
    writes, transport, _ = joined()
    writes.write(b"head")
    writes.write(b"")
    assert transport.written == [b"head"]


def test_what_comes_before_the_head_is_sent_at_once() -> None:
    writes, transport, cycle = joined(started=False)
    writes.write(b"100 Continue")
    assert transport.written == [b"100 Continue"]
    cycle.response_started = True
    writes.write(b"head ")
    writes.write(b"body")
    assert transport.written == [b"100 Continue", b"head body"]


def test_a_connection_that_is_closed_after_the_head_has_sent_it() -> None:
    writes, transport, _ = joined()
    writes.write(b"head")
    writes.close()
    assert (transport.written, writes.is_closing()) == ([b"head"], True)
