"""Every harm by its name."""

from collections.abc import Mapping

from e2e.rounds.harms.database import (
    CutDatabaseLine,
    EndConnections,
    ForeignLock,
    KillDatabase,
    NoConnectionLeft,
    ReadOnlyDatabase,
    RefusedLogin,
    RestartDatabase,
    StallDatabase,
)
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
        KillDatabase(), StallDatabase(), CutDatabaseLine(), RestartDatabase(), EndConnections(),
        ReadOnlyDatabase(), ForeignLock(), NoConnectionLeft(),
        RefusedLogin(),
    )
}  # fmt: skip


def harms_of(store: str) -> Mapping[str, Harm]:
    """Those that can be done to a gateway on this store."""
    return {name: harm for name, harm in HARMS.items() if harm.store in {None, store}}
