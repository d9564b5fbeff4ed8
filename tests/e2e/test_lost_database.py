"""A database that is lost, slow or closed under load, and a gateway that is never restarted.

The same gateway endures all of it. What cannot be made durable is refused, nothing acknowledged is
lost, and payments go on by themselves once the database is back.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import pytest_asyncio

from e2e.rounds.asking import Asking
from e2e.rounds.call import NOT_BEGUN, UNCERTAIN, misshapen
from e2e.rounds.harms.database import (
    CutDatabaseLine,
    DatabaseHarm,
    EndConnections,
    ForeignLock,
    KillDatabase,
    NoConnectionLeft,
    ReadOnlyDatabase,
    RestartDatabase,
    StallDatabase,
)
from e2e.rounds.round import endure
from e2e.rounds.station import LEASE_S, SETTINGS, Station, running_station
from e2e.rounds.truth import untrue_refusals
from netvalve.storage.postgres.batch_writer import ANSWER_S
from netvalve.storage.postgres.pools import TURN_S
from running import CARD, fresh_order
from stores import Databases

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVED_AGAIN_S = 8.0
"""From when the database is back; a connection may just have been given up for a moment."""
READY_AGAIN_S = 15.0
ANSWERED_S = TURN_S + ANSWER_S + 1
"""Above the deadlines of payments, which are short here: what is asked of a store that stands still
waits for a connection, and then for its answer."""
REQUESTS_MAX = 100
GROWTH_MAX_MIB = 64


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def station(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> AsyncIterator[Station]:
    """One gateway for all tests of this file."""
    folder = tmp_path_factory.mktemp("lost")
    async with running_station(
        folder, databases=databases, by_line=True, requests_max=REQUESTS_MAX
    ) as station:
        yield station


class Watch:
    """What the gateway says of itself, again and again; and how much memory it takes."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self.readiness: Counter[int] = Counter()
        self.at_first_mib = self.at_most_mib = self._memory_mib()

    async def look(self) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            while True:
                await self.see(http)
                await asyncio.sleep(0.1)

    async def see(self, http: httpx.AsyncClient) -> int:
        ready = await http.get(f"http://127.0.0.1:{self._station.port()}/health/ready")
        self.readiness[ready.status_code] += 1
        self.at_most_mib = max(self.at_most_mib, self._memory_mib())
        return ready.status_code

    async def until_ready(self) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            async with asyncio.timeout(READY_AGAIN_S):
                while await self.see(http) != 200:
                    await asyncio.sleep(0.1)

    def _memory_mib(self) -> float:
        status = Path(f"/proc/{self._station.gateway.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@asynccontextmanager
async def watching(station: Station) -> AsyncIterator[Watch]:
    """Watch until the end, at which the gateway is ready again."""
    watch = Watch(station)
    looking = asyncio.create_task(watch.look())
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    await watch.until_ready()


LONG = (
    KillDatabase(away_s=(3.0, 3.0), times_max=1),
    StallDatabase(stalled_s=(8.0, 8.0)),
    ReadOnlyDatabase(closed_s=(LEASE_S + 1, LEASE_S + 1)),
    NoConnectionLeft(crowded_s=(LEASE_S + 1, LEASE_S + 1)),
)
"""Longer than the lease: the gateway says that it cannot take payments."""
SHORT = (RestartDatabase(), EndConnections(), CutDatabaseLine(), ForeignLock())


@pytest.mark.parametrize("harm", [*LONG, *SHORT], ids=lambda harm: harm.name)
async def test_nothing_is_lost_and_payments_go_on(station: Station, harm: DatabaseHarm) -> None:
    async with watching(station) as watch:
        result = await endure(station, harm, f"test {harm.name}")
    print(harm.name, result, watch.readiness, watch.at_first_mib, watch.at_most_mib)
    assert result.breaches == []
    assert result.approved > 0
    assert result.served_again_s < SERVED_AGAIN_S
    assert result.slowest_s < ANSWERED_S
    if harm in LONG:
        assert watch.readiness[503], watch.readiness
    assert watch.at_most_mib - watch.at_first_mib < GROWTH_MAX_MIB
