"""What a gateway opens when it boots: a store of its own, or a place at one that outlives it."""

import asyncio
from copy import copy
from typing import Protocol

from netvalve.bootstrap import Ground
from netvalve.simulation.disk import Disk
from netvalve.simulation.machine import Machine
from netvalve.storage.sqlite.store import SqliteStore


class Storage(Protocol):
    """Where a gateway's rows are."""

    disk: Disk

    async def opened(self, ground: Ground) -> SqliteStore:
        """The store, for a gateway that boots."""

    async def closed(self, store: SqliteStore) -> None:
        """A gateway has ended in good order."""

    def left(self) -> None:
        """A gateway's machine is dead."""


class OwnStore:
    """A file for one gateway: what it had not committed dies with it."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    async def opened(self, ground: Ground) -> SqliteStore:
        """Take the file."""
        return await _started(ground)

    async def closed(self, store: SqliteStore) -> None:
        """Give the file back."""
        await store.stop()

    def left(self) -> None:
        """The operating system lets go of files and locks."""
        self.disk.cut_power()


class SharedStore:
    """A store on a machine of its own, at which several gateways have their seats.

    What a gateway has handed over is written though the gateway dies.
    """

    def __init__(self, disk: Disk, ground: Ground) -> None:
        self.disk = disk
        self.machine = Machine("store", disk)
        self._ground = ground
        self._loop = asyncio.get_running_loop()
        self._running: asyncio.Future[SqliteStore] = self._loop.create_future()
        self._start()

    async def opened(self, ground: Ground) -> SqliteStore:
        """A place there, with numbers of its own."""
        del ground
        store = copy(await asyncio.shield(self._running))
        store.identifiers = await store.identifiers.apart()
        return store

    async def closed(self, store: SqliteStore) -> None:
        """The store goes on."""

    def left(self) -> None:
        """The store goes on."""

    async def stop(self) -> None:
        """Write what waits and close the file."""
        store = await self._running
        await self.machine.context.run(self._loop.create_task, store.stop())
        self.machine.kill()

    def _start(self) -> None:
        starting = self.machine.context.run(self._loop.create_task, _started(self._ground))
        starting.add_done_callback(self._took)

    def _took(self, starting: "asyncio.Task[SqliteStore]") -> None:
        if starting.exception() is None:
            self._running.set_result(starting.result())
        else:
            self.disk.cut_power()
            self._loop.call_later(1, self._start)


async def _started(ground: Ground) -> SqliteStore:
    settings = ground.settings
    return await SqliteStore.start(
        settings.database_url,
        clock=ground.clock,
        metrics=ground.metrics,
        configuration_poll_s=settings.configuration_poll_s,
    )
