"""A line is taken at once whatever becomes of it; what is lost is counted and told."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from netvalve.telemetry import line_writer
from netvalve.telemetry.line_writer import LineWriter


def lost_line(count: int) -> bytes:
    return b"lost %d" % count


class Pipe:
    """A writer into a pipe, and the pipe's other end."""

    def __init__(self) -> None:
        self.reading, descriptor = os.pipe()
        self.writer = LineWriter(descriptor, lost_line)

    def lines(self, bytes_max: int = 1 << 20) -> list[bytes]:
        return os.read(self.reading, bytes_max).splitlines()

    def read_until_written(self) -> bytes:
        """Everything, for a writer that waits for its reader."""
        os.set_blocking(self.reading, False)
        read = b""
        ended = False
        while not ended:
            ended = self.writer.flush(0.01)
            with suppress(BlockingIOError):
                while more := os.read(self.reading, 1 << 20):
                    read += more
        return read


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.writer.close()


def test_lines_come_out_whole_and_in_order(pipe: Pipe) -> None:
    for number in range(500):
        pipe.writer.info(b"line %d" % number)
    assert pipe.writer.flush(5)
    assert pipe.lines() == [b"line %d" % number for number in range(500)]
    assert pipe.writer.dropped == 0


def test_reader_that_is_gone_costs_its_lines_and_raises_nothing(pipe: Pipe) -> None:
    os.close(pipe.reading)
    for _ in range(3):
        pipe.writer.warning(b"unheard")
        assert pipe.writer.flush(5)
    assert pipe.writer.dropped == 3


def test_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_missed(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_writer, "LINES_MAX", 100)
    line, began = b"x" * 10_000, time.monotonic()
    for _ in range(200):
        pipe.writer.info(line)
    assert time.monotonic() - began < 1
    dropped = pipe.writer.dropped
    assert dropped >= 90
    assert not pipe.writer.flush(0.1)
    read = pipe.read_until_written().splitlines()
    assert sorted(set(read)) == [b"lost %d" % dropped, line]
    assert len(read) == 1 + 200 - dropped


def test_bytes_that_wait_are_bounded_as_well(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "BYTES_MAX", 1_000)
    pipe.writer.info(b"x" * 1_000)
    pipe.writer.info(b"x" * 999)
    assert pipe.writer.dropped == 1
    assert pipe.writer.flush(5)
    pipe.writer.info(b"room again")
    assert pipe.writer.flush(5)
    assert pipe.writer.dropped == 1


def test_line_cut_short_is_ended_before_the_next(pipe: Pipe) -> None:
    calls = []

    def write(descriptor: int, data: memoryview) -> int:
        calls.append(bytes(data))
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:4] if len(calls) == 1 else data)

    real = os.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_writer.os, "write", write)
        pipe.writer.info(b"half a line")
        assert pipe.writer.flush(5)
        pipe.writer.info(b"whole")
        assert pipe.writer.flush(5)
    assert pipe.lines() == [b"half", b"lost 1", b"whole"]


def test_no_write_is_larger_than_its_batch_or_ends_within_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[bytes] = []

    def write(_descriptor: int, data: memoryview) -> int:
        written.append(bytes(data))
        return len(data)

    monkeypatch.setattr(line_writer.os, "write", write)
    reading, descriptor = os.pipe()
    writer = LineWriter(descriptor, lost_line, batch_bytes=100)
    sent = [b"x" * (length % 60) for length in range(500)] + [b"y" * 200, b"z"]
    for line in sent:
        writer.info(line)
    assert writer.flush(5)
    assert b"".join(written).splitlines() == sent
    assert all(each.endswith(b"\n") for each in written)
    assert all(len(each) <= 100 or each.count(b"\n") == 1 for each in written)
    writer.close()
    os.close(reading)


def test_end_waits_a_moment_for_a_reader_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "_LAST_LINES_S", 0.1)
    stuck = Pipe()
    stuck.writer.info(b"x" * 200_000)
    began = time.monotonic()
    stuck.writer.close()
    assert time.monotonic() - began < 1
    os.close(stuck.reading)
