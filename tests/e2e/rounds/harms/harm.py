"""What every harm is: something done to a station, and what must be seen of it afterwards."""

from collections.abc import Iterable, Sequence
from enum import Enum
from random import Random

from e2e.rounds.call import Call
from e2e.rounds.station import Small, Station

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Answered(Enum):
    """Which requests must have got an answer."""

    ALL = "all"
    TAKEN = "taken"
    """A connection may end without one, where nothing was begun."""
    NOT_ALL = "not all"
    """A connection may end without one."""


class Harm:
    """One way to break a station; it leaves everything running again."""

    name = ""
    small = Small.NOTHING
    """What must lie on a disk that can be filled."""
    store: str | None = None
    """The only store that it can be done to."""
    by_line = False
    """Whether gateways must reach their database over a line."""
    answered = Answered.ALL

    async def strike(self, station: Station, chance: Random) -> None:
        """Do it, and mend what was broken."""
        raise NotImplementedError

    def unmet(self, calls: Sequence[Call]) -> Iterable[str]:
        """What should have been heard because of it, and was not."""
        del calls
        return ()
