"""The line between gateway and bank: cut, reset, delayed, silent; around and inside messages."""

import asyncio
from collections.abc import Sequence
from random import Random

from e2e.rounds.harms.harm import Harm
from e2e.rounds.proxy import UNHARMED, End, Fate, Proxy, Way
from e2e.rounds.station import Station

_BETWEEN_S = (0.05, 0.5)


class CutLine(Harm):
    """Single messages are lost or torn, and the connection with them."""

    name = "cut line"

    async def strike(self, station: Station, chance: Random) -> None:
        """Ten incidents: nothing of a message, a part of it or all of it gets through."""
        for _ in range(10):
            share = chance.choice((0.0, 1.0, chance.uniform(0.01, 0.99)))
            await _happen(station.proxy, chance, Fate(share, end=_end(chance)))


class SwallowedMessages(Harm):
    """Whole messages vanish, one after the other, and no connection tells of it."""

    name = "swallow messages"

    async def strike(self, station: Station, chance: Random) -> None:
        """Fifteen incidents."""
        for _ in range(15):
            await _happen(station.proxy, chance, Fate(share=0.0))


class SlowLine(Harm):
    """The line holds everything up, for less or more than the deadlines."""

    name = "slow line"

    async def strike(self, station: Station, chance: Random) -> None:
        """Five incidents."""
        for _ in range(5):
            fate = Fate(delay_s=chance.uniform(0.2, 2.0))
            await _happen(station.proxy, chance, fate)
            await asyncio.sleep(fate.delay_s / 2)


class SilentLine(Harm):
    """The line stands still in both directions; what was on its way arrives afterwards, or never.

    New connections are made and stay silent too.
    """

    name = "silent line"

    async def strike(self, station: Station, chance: Random) -> None:
        """Some seconds of it; then it flows again, or the first message ends its connection."""
        proxy = station.proxy
        await asyncio.sleep(chance.uniform(*_BETWEEN_S))
        proxy.flows.clear()
        await asyncio.sleep(chance.uniform(1.5, 3.5))
        if chance.random() < 0.5:
            _once(proxy, chance.choice(tuple(Way)), Fate(share=0.0, end=End.RESET))
        proxy.flows.set()
        await asyncio.sleep(chance.uniform(*_BETWEEN_S))
        proxy.fate_of = _unharmed


async def _happen(proxy: Proxy, chance: Random, fate: Fate) -> None:
    """Let the next message of one direction have this fate."""
    _once(proxy, chance.choice(tuple(Way)), fate)
    await asyncio.sleep(chance.uniform(*_BETWEEN_S))
    proxy.fate_of = _unharmed


def _once(proxy: Proxy, struck: Way, fate: Fate) -> None:
    def fate_of(way: Way) -> Fate:
        if way is not struck:
            return UNHARMED
        proxy.fate_of = _unharmed
        return fate

    proxy.fate_of = fate_of


def _unharmed(_way: Way) -> Fate:
    return UNHARMED


def _end(chance: Random) -> End:
    ends: Sequence[End] = (End.CLOSED, End.RESET)
    return chance.choice(ends)
