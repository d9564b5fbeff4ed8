"""The metrics of several processes as one: each counts in a common folder, any of them tells all.

This is prometheus_client's own way: values in mapped files. A file bears the number of its worker's
slot, not of its process, so that a successor counts on where its predecessor has ended: no counter
falls, and the folder does not grow with every death.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Final, Never

from prometheus_client import CollectorRegistry, Counter, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MultiProcessValue

from netvalve.telemetry.logs import lines_dropped
from netvalve.telemetry.metrics import LINES_DROPPED, Metrics

_PREFIX: Final = "netvalve-metrics-"
_LOST_LINES_EVERY_S: Final = 1.0


class MetricsFolder:
    """The folder, from the view of who has made it."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock
        """A descriptor. As long as a process has it open, nobody else removes the folder."""

    def leave(self, slot: int) -> None:
        """Forget what a worker that has ended was at; what it has counted stays."""
        mark_process_dead(slot, str(self.path))  # type: ignore[no-untyped-call]


@contextmanager
def metrics_folder() -> Iterator[MetricsFolder]:
    """A folder that is gone at the end, or at the next start where nobody was left to remove it."""
    _sweep(Path(gettempdir()))
    path = Path(mkdtemp(prefix=_PREFIX))
    try:
        with _locked(path) as lock:
            yield MetricsFolder(path, lock)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _sweep(place: Path) -> None:
    """Remove what killed gateways have left, and whose last worker has ended."""
    for path in place.glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(path):
            shutil.rmtree(path)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Holds a folder against all others.

    Raises:
        OSError: somebody holds it, or it is none of ours.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


class SharedMetrics(Metrics):
    """Counts in the folder, and tells what all have counted there. One a process, made early.

    Where a metric keeps its value is a matter of the whole process for prometheus_client.
    """

    def __init__(self, folder: Path, slot: int) -> None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
        super().__init__()
        self._lines_dropped = Counter(*LINES_DROPPED, registry=None)
        self._whole = CollectorRegistry()
        MultiProcessCollector(self._whole, str(folder))  # type: ignore[no-untyped-call]

    async def count_dropped_lines(self) -> Never:
        """The log knows no metrics: it is asked, for whoever tells what all have counted."""
        counted = 0
        while True:
            dropped = lines_dropped()
            self._lines_dropped.inc(dropped - counted)
            counted = dropped
            await asyncio.sleep(_LOST_LINES_EVERY_S)

    async def render(self) -> bytes:
        """The folder as Prometheus reads it: tens of milliseconds, which hold up no request."""
        return await asyncio.to_thread(generate_latest, self._whole)
