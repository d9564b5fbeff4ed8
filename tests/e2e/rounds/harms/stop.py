"""SIGTERM under load: what was taken is answered, and the end is an orderly one."""

import asyncio
import signal
from random import Random

from e2e.rounds.harms.harm import SQLITE, Answered, Harm
from e2e.rounds.small_disk import keep_full
from e2e.rounds.station import Small, Station


class Stop(Harm):
    """The gateway is asked to end while everybody pays, and is started again."""

    name = "stop"
    answered = Answered.TAKEN

    async def strike(self, station: Station, chance: Random) -> None:
        """Stop and start, twice; at times while the bank is silent."""
        for _ in range(2):
            await asyncio.sleep(chance.uniform(0.1, 0.8))
            if chance.random() < 0.5:
                station.proxy.flows.clear()
                await asyncio.sleep(chance.uniform(0.0, 0.5))
            await _stop(station)
            station.proxy.flows.set()
            await station.start_gateway()


class StopOnFullDisk(Harm):
    """The gateway is asked to end while it can close nothing: it says what is pending, and ends."""

    name = "stop on full disk"
    small = Small.HOME
    store = SQLITE
    answered = Answered.TAKEN

    async def strike(self, station: Station, chance: Random) -> None:
        """Fill, stop, free, start."""
        assert station.disk is not None
        pid = station.gateway.pid
        await keep_full(station.disk, pid, chance.uniform(0.2, 1.0))
        await _stop(station)
        station.disk.free(pid)
        await station.start_gateway()


async def _stop(station: Station) -> None:
    status = await station.gateway.end(signal.SIGTERM)
    if status != 0:
        raise AssertionError(f"SIGTERM ended the gateway with status {status}")
