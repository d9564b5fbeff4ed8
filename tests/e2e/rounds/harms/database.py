"""PostgreSQL is killed, stalled, cut off, restarted, closed or crowded; no gateway is restarted."""

import asyncio
from collections.abc import Iterable, Sequence
from random import Random
from typing import LiteralString

import psycopg

from e2e.rounds.call import NOT_BEGUN, UNCERTAIN, Call, misshapen
from e2e.rounds.database import StationDatabase
from e2e.rounds.harms.harm import POSTGRESQL, Harm
from e2e.rounds.proxy import Way
from e2e.rounds.station import LEASE_S, Station

Span = tuple[float, float]
_WORKS_S = (0.1, 1.0)
_LOCKED_MAX = 20
_TERMINATE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND application_name LIKE 'netvalve %%'
"""
_LIMITED: LiteralString = "ALTER DATABASE {{}} CONNECTION LIMIT {}"
_LOCK = "SELECT order_id FROM orders ORDER BY order_id DESC LIMIT %s FOR UPDATE"


class DatabaseHarm(Harm):
    """A database that is away or in trouble for a while."""

    store = POSTGRESQL
    refuses = True
    """Whether some requests must be refused meanwhile."""

    def unmet(self, calls: Sequence[Call]) -> Iterable[str]:
        """What could not be made durable was refused as the contract says."""
        if self.refuses and not any(each.status in {NOT_BEGUN, UNCERTAIN} for each in calls):
            yield "the database was away and no request was refused"
        yield from misshapen(calls)


class KillDatabase(DatabaseHarm):
    """All its processes die in the middle of what they do; it recovers from its log."""

    name = "kill database"

    def __init__(self, away_s: Span = (0.2, 3.0), times_max: int = 2) -> None:
        self._away_s, self._times_max = away_s, times_max

    async def strike(self, station: Station, chance: Random) -> None:
        """Kill and start again; at times twice."""
        for _ in range(chance.randint(1, self._times_max)):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            await station.database.kill()
            await asyncio.sleep(chance.uniform(*self._away_s))
            await station.database.serve()


class StallDatabase(DatabaseHarm):
    """It stands still as a frozen machine does: connections stay open, nothing is answered."""

    name = "stall database"

    def __init__(self, stalled_s: Span = (LEASE_S, 8.0)) -> None:
        self._stalled_s = stalled_s

    async def strike(self, station: Station, chance: Random) -> None:
        """One stall, longer than every deadline and the lease."""
        await asyncio.sleep(chance.uniform(*_WORKS_S))
        server = station.database.server
        server.freeze()
        try:
            await asyncio.sleep(chance.uniform(*self._stalled_s))
        finally:
            server.thaw()
        station.database.is_back()


class CutDatabaseLine(DatabaseHarm):
    """The line breaks, with or without the database's hearing of it; answers are lost before."""

    name = "cut database line"
    by_line = True
    refuses = False
    """A batch may be between two cuts."""

    async def strike(self, station: Station, chance: Random) -> None:
        """Five incidents; each loses the one way or the other, or nobody gets through after it."""
        line = station.database.line
        for _ in range(5):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            line.lost = chance.choice((None, Way.REQUEST, Way.ANSWER))
            await asyncio.sleep(chance.uniform(0.0, 0.3) if line.lost else 0.0)
            line.refuses = chance.random() < 0.5
            line.cut(database_hears=chance.random() < 0.5)
            await asyncio.sleep(chance.uniform(0.0, 2.0) if line.refuses else 0.0)
            line.refuses = False
        station.database.is_back()


class RestartDatabase(DatabaseHarm):
    """An operator restarts it: open connections are told, and cut."""

    name = "restart database"
    refuses = False
    """It may be back before anybody needs it."""

    async def strike(self, station: Station, chance: Random) -> None:
        """Once, or twice in a row."""
        for _ in range(chance.randint(1, 2)):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            await asyncio.to_thread(station.database.server.restart)
            station.database.is_back()


class EndConnections(DatabaseHarm):
    """An operator ends every connection of the gateways; the database itself is there."""

    name = "end connections"
    refuses = False

    async def strike(self, station: Station, chance: Random) -> None:
        """Three times."""
        for _ in range(3):
            await asyncio.sleep(chance.uniform(*_WORKS_S))
            await asyncio.to_thread(_end_connections, station.database)
        station.database.is_back()


class ReadOnlyDatabase(DatabaseHarm):
    """It lets everybody in and takes no write."""

    name = "read-only database"

    def __init__(self, closed_s: Span = (0.5, LEASE_S + 2.0)) -> None:
        self._closed_s = closed_s

    async def strike(self, station: Station, chance: Random) -> None:
        """For some seconds."""
        await asyncio.sleep(chance.uniform(*_WORKS_S))
        await asyncio.to_thread(_set_read_only, station.database, "on")
        try:
            await asyncio.sleep(chance.uniform(*self._closed_s))
        finally:
            await asyncio.to_thread(_set_read_only, station.database, "off")
        station.database.is_back()


class ForeignLock(DatabaseHarm):
    """Somebody else holds the rows of the newest orders: an operator's forgotten transaction."""

    name = "foreign lock"
    refuses = False

    def __init__(self, held_s: Span = (1.0, 6.0)) -> None:
        self._held_s = held_s

    async def strike(self, station: Station, chance: Random) -> None:
        """For less or more than a lock is waited for."""
        await asyncio.sleep(chance.uniform(*_WORKS_S))
        connecting = psycopg.AsyncConnection.connect(station.database.url)
        async with await connecting as connection:
            await connection.execute(_LOCK, [_LOCKED_MAX])
            await asyncio.sleep(chance.uniform(*self._held_s))
        station.database.is_back()


class NoConnectionLeft(DatabaseHarm):
    """The server lets nobody in, as when others hold all of its connections."""

    name = "no connection left"

    def __init__(self, crowded_s: Span = (0.5, LEASE_S + 2.0)) -> None:
        self._crowded_s = crowded_s

    async def strike(self, station: Station, chance: Random) -> None:
        """For some seconds, and the gateways have lost theirs."""
        await asyncio.sleep(chance.uniform(*_WORKS_S))
        database = station.database
        await asyncio.to_thread(database.server.execute, _LIMITED.format(0), database.name)
        try:
            await asyncio.to_thread(_end_connections, database)
            await asyncio.sleep(chance.uniform(*self._crowded_s))
        finally:
            await asyncio.to_thread(database.server.execute, _LIMITED.format(-1), database.name)
        database.is_back()


class RefusedLogin(DatabaseHarm):
    """The server is there and lets the gateways in no more: an operator has changed its rules."""

    name = "refused login"

    def __init__(self, shut_s: Span = (0.5, LEASE_S + 2.0)) -> None:
        self._shut_s = shut_s

    async def strike(self, station: Station, chance: Random) -> None:
        """For some seconds, and the gateways have lost their connections."""
        await asyncio.sleep(chance.uniform(*_WORKS_S))
        database = station.database
        with database.server.rejecting(database.name):
            await asyncio.to_thread(_end_connections, database)
            await asyncio.sleep(chance.uniform(*self._shut_s))
        database.is_back()


class OneAfterTheOther(DatabaseHarm):
    """Several of these under one load."""

    def __init__(self, *harms: DatabaseHarm) -> None:
        self._harms = harms
        self.name = ", ".join(each.name for each in harms)
        self.refuses = any(each.refuses for each in harms)

    async def strike(self, station: Station, chance: Random) -> None:
        """The next one when the one before is over."""
        for each in self._harms:
            await each.strike(station, chance)


def _end_connections(database: StationDatabase) -> None:
    with database.server.connect() as superuser:
        superuser.execute(_TERMINATE, [database.name])


def _set_read_only(database: StationDatabase, word: str) -> None:
    """For every session that there is, and that comes."""
    with database.server.connect() as superuser:
        superuser.execute(f"ALTER SYSTEM SET default_transaction_read_only = {word}")
        superuser.execute("SELECT pg_reload_conf()")
