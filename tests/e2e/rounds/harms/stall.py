"""A gateway that stands still, as a paused machine does, and wakes as if nothing had been."""

import asyncio
from random import Random

from e2e.rounds.harms.harm import Harm
from e2e.rounds.station import LEASE_S, Station

_STALL_S = (LEASE_S + 0.5, LEASE_S + 3.0)
"""Longer than every deadline, and than the lease."""


class Stall(Harm):
    """SIGSTOP, seconds of nothing while the bank goes on, SIGCONT."""

    name = "stall"

    async def strike(self, station: Station, chance: Random) -> None:
        """One long stall."""
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        station.gateway.stall()
        try:
            await asyncio.sleep(chance.uniform(*_STALL_S))
        finally:
            station.gateway.wake()
        await asyncio.sleep(0.5)
