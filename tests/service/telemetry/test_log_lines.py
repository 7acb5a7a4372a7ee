"""Lines through a pipe whose reader is quick, slow or gone."""

import os
import threading
import time

import pytest

from service.telemetry import log_lines
from service.telemetry.log_lines import LogLines


class Pipe:
    """A writer of lines into a pipe that this test reads."""

    def __init__(self) -> None:
        self.end_to_read, self.end_to_write = os.pipe()
        self.dropped: list[int] = []
        self.lines = LogLines(self.end_to_write, lambda count: f"{count} dropped\n", self.dropped.append)

    def read(self) -> list[str]:
        """Ends the writer and returns every line it wrote."""
        pieces: list[bytes] = []

        def take() -> None:
            while piece := os.read(self.end_to_read, 65536):
                pieces.append(piece)

        reader = threading.Thread(target=take)
        reader.start()
        self.lines.stop()
        os.close(self.end_to_write)
        reader.join()
        os.close(self.end_to_read)
        return b"".join(pieces).decode().splitlines()


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


def test_lines_come_out_in_order_and_whole(pipe: Pipe) -> None:
    expected = [f"{number} " + "x" * (number % 300) for number in range(3000)]
    for line in expected:
        pipe.lines.write(f"{line}\n")
    assert pipe.read() == expected
    assert pipe.dropped == []


def test_a_line_is_written_soon_without_a_stop(pipe: Pipe) -> None:
    pipe.lines.write("now\n")
    assert os.read(pipe.end_to_read, 100) == b"now\n"
    pipe.read()


def test_a_reader_that_does_not_read_blocks_no_writer(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "MAX_WAITING", 1000)
    started = time.perf_counter()
    for number in range(5000):
        pipe.lines.write(f"{number:0100d}\n")
    assert time.perf_counter() - started < 1
    lines = pipe.read()
    reports = [line for line in lines if line.endswith("dropped")]
    # The pipe itself holds 64 KiB, so how many were dropped depends on when the writer began.
    assert 3000 < sum(pipe.dropped) <= 4000
    assert sum(int(line.split()[0]) for line in reports) == sum(pipe.dropped)
    assert len(lines) - len(reports) + sum(pipe.dropped) == 5000


def test_the_end_does_not_wait_for_a_reader_that_does_not_read(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "STOP_SECONDS", 0.2)
    for _ in range(2000):
        pipe.lines.write("x" * 99 + "\n")
    started = time.perf_counter()
    pipe.lines.stop()
    assert time.perf_counter() - started < 2
    assert len(pipe.read()) == 2000


def test_a_reader_that_is_gone_stops_nothing(pipe: Pipe) -> None:
    os.close(pipe.end_to_read)
    for _ in range(3):
        pipe.lines.write("unread\n")
        time.sleep(0.06)
    pipe.lines.stop()
    os.close(pipe.end_to_write)


def test_a_descriptor_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.end_to_write, False)
    expected = [f"{number:0100d}" for number in range(2000)]
    for line in expected:
        pipe.lines.write(f"{line}\n")
    time.sleep(0.1)
    assert pipe.read() == expected


def test_no_write_is_longer_than_what_a_pipe_keeps_together(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    for number in range(500):
        pipe.lines.write("x" * (number % 251) + "\n")
    assert len(pipe.read()) == 500
    assert max(sizes) <= 4096
    assert len(sizes) < 100
