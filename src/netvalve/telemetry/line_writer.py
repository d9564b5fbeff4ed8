"""Finished lines on their way out: taken at once, written by a thread of their own.

Whoever logs is never held up and never told of a failure: a line that finds no room, because the
reader is slow, gone, or the disk is full, is dropped and counted. Knows no event, only bytes.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from select import PIPE_BUF
from typing import Final

LINES_MAX: Final = 20_000
BYTES_MAX: Final = 8 * 1024 * 1024

_GATHER_S: Final = 0.01
"""The thread wakes once for all lines of this time, which costs the event loop less than each."""
BATCH_BYTES: Final = 65_536
SHARED_BATCH_BYTES: Final = PIPE_BUF - 512
"""What a pipe takes whole however many write to it, less the room for a line about lost ones."""
_AGAIN_S: Final = 0.05
"""The pause before a descriptor that would block is tried again."""
_LAST_LINES_S: Final = 1.0
"""How long the end of a process waits for its last lines."""


class LineWriter:
    """Writes to one file descriptor, which it owns; what structlog calls a logger, and its factory.

    `lost_line` makes the line that says how many were lost before it. No write is of more than
    `batch_bytes`, unless one line is.
    """

    def __init__(
        self,
        descriptor: int,
        lost_line: Callable[[int], bytes],
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._descriptor, self._lost_line, self._batch_bytes = descriptor, lost_line, batch_bytes
        self._queue: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._counting = threading.RLock()  # a line may be logged while one is being counted
        self._lines = self._bytes = 0
        self._dropped = self._told = 0
        self._line_is_open = self._closed = False
        atexit.register(self.close)
        threading.Thread(target=self._run, name="netvalve-log", daemon=True).start()

    @property
    def dropped(self) -> int:
        """How many lines were lost so far."""
        return self._dropped

    def __call__(self, *_names: object) -> "LineWriter":
        """Itself, to whom structlog asks for a logger."""
        return self

    def write(self, line: bytes) -> None:
        """Takes a line, without its end, or drops it; never waits, never raises."""
        length = len(line) + 1
        with self._counting:
            if self._lines >= LINES_MAX or self._bytes + length > BYTES_MAX:
                self._dropped += 1
                return
            self._lines += 1
            self._bytes += length
        self._queue.put(line + b"\n")

    debug = info = warning = error = critical = exception = write

    def flush(self, within_s: float) -> bool:
        """Waits for what was taken before; whether all of it has been written or dropped."""
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(within_s)

    def close(self) -> None:
        """Writes the last lines, as far as that takes no longer than a second."""
        atexit.unregister(self.close)
        self._closed = True
        self.flush(_LAST_LINES_S)

    def _run(self) -> None:
        while not self._closed:
            first = self._queue.get()
            if isinstance(first, bytes):
                time.sleep(_GATHER_S)
            self._deliver(first)
        os.close(self._descriptor)

    def _deliver(self, item: bytes | threading.Event | None) -> None:
        """Everything that waits, in batches."""
        while item is not None:
            batch: list[bytes] = []
            size = 0
            while isinstance(item, bytes) and (not batch or size + len(item) <= self._batch_bytes):
                batch.append(item)
                size += len(item)
                item = self._next()
            if batch:
                self._write_batch(batch, size)
            if isinstance(item, threading.Event):
                item.set()
                item = self._next()

    def _next(self) -> bytes | threading.Event | None:
        try:
            return self._queue.get_nowait()
        except Empty:
            return None

    def _write_batch(self, batch: list[bytes], size: int) -> None:
        lost = self._dropped - self._told
        head = self._lost_line(lost) + b"\n" if lost else b""
        if self._line_is_open:
            head = b"\n" + head
        try:
            self._write_whole(head + b"".join(batch))
        except OSError:
            with self._counting:
                self._dropped += len(batch)
        else:
            self._told += lost
        with self._counting:
            self._lines -= len(batch)
            self._bytes -= size

    def _write_whole(self, data: bytes) -> None:
        """Writes all of it, however long that takes.

        Raises:
            OSError: a part of it may have been written.
        """
        left = memoryview(data)
        while left:
            try:
                written = os.write(self._descriptor, left)
            except BlockingIOError:
                time.sleep(_AGAIN_S)
                continue
            self._line_is_open = left[written - 1] != ord("\n")
            left = left[written:]
