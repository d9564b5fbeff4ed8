"""Every harm by its name."""

from collections.abc import Mapping

from e2e.rounds.harms.disk import FullDisk, FullLogDisk, KilledOnFullDisk
from e2e.rounds.harms.harm import Harm
from e2e.rounds.harms.kill import KillBank, KillBoth, KillGateway
from e2e.rounds.harms.line import CutLine, SilentLine, SlowLine, SwallowedMessages
from e2e.rounds.harms.stall import Stall
from e2e.rounds.harms.stop import Stop, StopOnFullDisk
from e2e.rounds.harms.storm import Storm

HARMS: Mapping[str, Harm] = {
    each.name: each
    for each in (
        KillGateway(), KillBank(), KillBoth(),
        CutLine(), SwallowedMessages(), SlowLine(), SilentLine(),
        FullDisk(), KilledOnFullDisk(), FullLogDisk(),
        Stop(), StopOnFullDisk(), Stall(), Storm(),
    )
}  # fmt: skip
