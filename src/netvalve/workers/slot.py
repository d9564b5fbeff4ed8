"""One of the places that a supervisor keeps filled with a worker."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Never

from structlog.typing import FilteringBoundLogger

from netvalve.api.port import SharedPort
from netvalve.config import Settings
from netvalve.telemetry.shared_metrics import MetricsFolder
from netvalve.workers.duty import Duty, Word
from netvalve.workers.worker_process import WorkerFailed, WorkerProcess

PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before the next worker, by how many have died in a row.

None at all would start one more where the end of all has begun, and not here yet.
"""
WORKED_S: Final = 60.0
"""Who lives as long begins a new row."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all workers of one supervisor share."""

    command: Sequence[str]
    """Starts a worker."""
    settings: Settings
    port: SharedPort
    metrics: MetricsFolder
    log: FilteringBoundLogger


@dataclass(frozen=True, slots=True)
class Ended:
    """How it went with a worker."""

    why: str
    lived_s: float
    pid: int | None = None


class Slot:
    """Holds the listener of its workers, so that what waits in its queue outlives each of them."""

    def __init__(self, number: int, workplace: Workplace) -> None:
        self._number, self._workplace = number, workplace
        self._listener: socket.socket | None = None
        self._worker: WorkerProcess | None = None

    async def fill(self) -> None:
        """Starts a worker and waits until it takes requests.

        Raises:
            WorkerFailed: it does not.
        """
        place = self._workplace
        place.metrics.leave(self._number)
        listener = self._listener = self._listener or self._new_listener()
        duty = Duty(
            slot=self._number,
            listener=listener.fileno(),
            metrics=str(place.metrics.path),
            settings=place.settings.model_dump(mode="json"),
        )
        inherits = (listener.fileno(), place.metrics.lock)
        self._worker = await WorkerProcess.start(place.command, duty, inherits=inherits)
        await self._worker.listening()

    async def keep(self) -> Never:
        """Fills the place of each worker that ends, until cancelled."""
        ended, deaths = await self._until_ended(), 0
        while True:
            deaths = 1 if ended.lived_s >= WORKED_S else deaths + 1
            pause_s = PAUSES_S[min(deaths, len(PAUSES_S)) - 1]
            self._workplace.log.error(
                "worker_ended", slot=self._number, pid=ended.pid, why=ended.why, pause_s=pause_s
            )
            if deaths > 1:
                self.close()
            await asyncio.sleep(pause_s)
            ended = await self._filled_until_ended()

    async def clear(self, within_s: float) -> bool:
        """Ends its worker, if there is one; whether that finished what it had taken."""
        self.close()
        if self._worker is None or await self._worker.end(within_s):
            return True
        self._workplace.log.error("worker_unfinished", slot=self._number)
        return False

    def close(self) -> None:
        """Lets the listener go: connections come to the others alone once no worker has it."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _new_listener(self) -> socket.socket:
        try:
            return self._workplace.port.listener()
        except OSError as error:
            raise WorkerFailed(f"no listener can be made: {error}") from error

    async def _filled_until_ended(self) -> Ended:
        try:
            await self.fill()
        except WorkerFailed as failed:
            self._worker = None
            return Ended(str(failed), lived_s=0)
        return await self._until_ended()

    async def _until_ended(self) -> Ended:
        """The rest of a worker's life, which has begun to take requests."""
        loop, worker = asyncio.get_running_loop(), self._worker
        if worker is None:
            raise RuntimeError("the slot is empty")
        began_s = loop.time()
        while word := await worker.word():
            if word is Word.ENDING:  # it takes nothing more: what waited for it goes to the others
                self.close()
        status = await worker.ended()
        self._worker = None
        self._workplace.metrics.leave(self._number)
        return Ended(worker.failure or f"status {status}", loop.time() - began_s, worker.pid)
