"""Several harms at the same time: the line breaks while somebody dies."""

import asyncio
from random import Random

from e2e.rounds.harms.harm import Answered, Harm
from e2e.rounds.harms.kill import KillBank, KillBoth, KillGateway
from e2e.rounds.harms.line import CutLine, SilentLine, SlowLine, SwallowedMessages
from e2e.rounds.station import Station


class Storm(Harm):
    """One harm of the line and one of the processes, together."""

    name = "storm"
    answered = Answered.NOT_ALL

    async def strike(self, station: Station, chance: Random) -> None:
        """Both at once; the round goes on when both are over."""
        line = chance.choice((CutLine(), SwallowedMessages(), SlowLine(), SilentLine()))
        death = chance.choice((KillGateway(), KillBank(), KillBoth()))
        apart = [Random(chance.random()) for _ in range(2)]  # noqa: S311  # a seed must replay it
        await asyncio.gather(line.strike(station, apart[0]), death.strike(station, apart[1]))
