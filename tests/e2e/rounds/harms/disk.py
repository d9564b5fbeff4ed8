"""The disk is full: the store's, with and without a kill -9 meanwhile; and the log's."""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from random import Random

from e2e.rounds.call import NOT_BEGUN, Call, misshapen
from e2e.rounds.harms.harm import SQLITE, Answered, Harm
from e2e.rounds.small_disk import SmallDisk, keep_full
from e2e.rounds.station import LEASE_S, Small, Station

_FULL_S = (1.5, LEASE_S + 1.5)
"""At its longest a lease cannot be renewed meanwhile."""


class FullDisk(Harm):
    """The store's disk is full for some seconds; the gateway goes on without a restart."""

    name = "full disk"
    small = Small.HOME
    store = SQLITE

    async def strike(self, station: Station, chance: Random) -> None:
        """Fill it and keep it full, whatever is freed meanwhile."""
        disk, pid = _disk(station), station.gateway.pid
        await keep_full(disk, pid, chance.uniform(*_FULL_S))
        disk.free(pid)

    def unmet(self, calls: Sequence[Call]) -> Iterable[str]:
        """Requests were refused as the contract says."""
        refused = [each for each in calls if each.status == NOT_BEGUN]
        if not refused:
            yield "the disk was full and no request was refused with 503"
        yield from misshapen(refused)


class KilledOnFullDisk(Harm):
    """The gateway is killed while its disk is full, and started again before or after it is freed.

    On a full disk it may say that it cannot start, and nothing else.
    """

    name = "kill on full disk"
    small = Small.HOME
    store = SQLITE
    answered = Answered.NOT_ALL

    async def strike(self, station: Station, chance: Random) -> None:
        """Fill, kill, try to start, free, start."""
        disk, pid = _disk(station), station.gateway.pid
        await keep_full(disk, pid, chance.uniform(*_FULL_S))
        await station.gateway.kill()
        if chance.random() < 0.5:
            with contextlib.suppress(RuntimeError):
                await station.start_gateway()
                await keep_full(disk, station.gateway.pid, chance.uniform(0.1, 1.0))
        if station.gateway.runs:
            disk.free(station.gateway.pid)
        else:
            disk.free(pid)
            await station.start_gateway()


class FullLogDisk(Harm):
    """The log's disk is full; no payment waits for it, and none is refused.

    Where no file system may be mounted the log is a file that never has room.
    """

    name = "full log disk"
    small = Small.LOG

    async def strike(self, station: Station, chance: Random) -> None:
        """Fill it, keep it full, free it."""
        full_s = chance.uniform(*_FULL_S)
        if station.disk is None:
            await asyncio.sleep(full_s)
        else:
            await keep_full(station.disk, station.gateway.pid, full_s)
            station.disk.free(station.gateway.pid)

    def unmet(self, calls: Sequence[Call]) -> Iterable[str]:
        """Nobody noticed."""
        for each in calls:
            if each.status is not None and each.status >= 500:
                yield f"{each.path} answered {each.status} while only the log's disk was full"


def _disk(station: Station) -> SmallDisk:
    assert station.disk is not None
    return station.disk
