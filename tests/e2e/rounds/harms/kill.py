"""kill -9: the gateway, the bank, or both; again and again within a round."""

import asyncio
import contextlib
from random import Random

from e2e.rounds.harms.harm import Answered, Harm
from e2e.rounds.station import Station

_WORKS_S = (0.05, 0.8)
"""How long what was started again may work before the next blow."""
_AWAY_S = (0.0, 0.6)
_STARTING_S = (0.2, 1.2)


class KillGateway(Harm):
    """The gateway dies; the bank goes on and answers nobody."""

    name = "kill gateway"
    answered = Answered.NOT_ALL

    async def strike(self, station: Station, chance: Random) -> None:
        """Kill and start again, up to three times; at times it dies while it starts, too."""
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            await station.gateway.kill()
            await asyncio.sleep(chance.uniform(*_AWAY_S))
            if chance.random() < 0.3:
                await _die_starting(station, chance.uniform(*_STARTING_S))
            await station.start_gateway()


class KillBank(Harm):
    """The bank dies with what it had booked, and comes back with its book."""

    name = "kill bank"

    async def strike(self, station: Station, chance: Random) -> None:
        """Kill and start again, up to three times."""
        for _ in range(chance.randint(1, 3)):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            await station.bank.kill()
            await asyncio.sleep(chance.uniform(*_AWAY_S))
            await station.start_bank()


class KillBoth(Harm):
    """Both die, at once or one after the other, and come back in either order."""

    name = "kill both"
    answered = Answered.NOT_ALL

    async def strike(self, station: Station, chance: Random) -> None:
        """Kill both and start them again, up to twice."""
        for _ in range(chance.randint(1, 2)):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            blows = [station.gateway.kill, station.bank.kill]
            starts = [station.start_gateway, station.start_bank]
            chance.shuffle(blows)
            chance.shuffle(starts)
            for blow in blows:
                await blow()
                await asyncio.sleep(chance.choice((0.0, chance.uniform(*_AWAY_S))))
            for start in starts:
                await start()
                await asyncio.sleep(chance.choice((0.0, chance.uniform(*_AWAY_S))))


async def _die_starting(station: Station, after_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(after_s):
            await station.start_gateway()
    await station.gateway.kill()
