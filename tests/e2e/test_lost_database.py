"""A database that is lost, slow or closed under load, and a gateway that is never restarted.

The same gateway endures all of it. What cannot be made durable is refused, nothing acknowledged is
lost, and payments go on by themselves once the database is back.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio

from e2e.rounds.asking import Asking
from e2e.rounds.call import APPROVED, NOT_BEGUN, PENDING, UNCERTAIN, misshapen
from e2e.rounds.harms.database import (
    CutDatabaseLine,
    DatabaseHarm,
    EndConnections,
    ForeignLock,
    KillDatabase,
    NoConnectionLeft,
    OneAfterTheOther,
    ReadOnlyDatabase,
    RefusedLogin,
    RestartDatabase,
    StallDatabase,
)
from e2e.rounds.round import endure
from e2e.rounds.station import LEASE_S, SETTINGS, Station, running_station
from e2e.rounds.truth import untrue_refusals
from netvalve.storage.postgres.batch_writer import ANSWER_S
from netvalve.storage.postgres.pools import TURN_S
from running import CARD, fresh_order
from stores import Databases, rows_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVED_AGAIN_S = 8.0
"""From when the database is back; a connection may just have been given up for a moment."""
READY_AGAIN_S = 20.0
ANSWERED_S = TURN_S + ANSWER_S + 1
"""Above the deadlines of payments, which are short here: what is asked of a store that stands still
waits for a connection, and then for its answer."""
LONGEST_S = float(str(SETTINGS["charge_deadline_s"])) + 3
"""The deadline and its grace, and a second."""
AT_ONCE_S = 0.5
CLOSED_S = (LEASE_S + 1, LEASE_S + 1)
"""Longer than the lease: the gateway says then that it cannot take payments."""
REQUESTS_MAX, CROWD = 40, 160
GROWTH_MAX_MIB = 64
KILLED = KillDatabase(away_s=(3.0, 3.0), times_max=1)
STALLED = StallDatabase(stalled_s=(8.0, 8.0))
CLOSED = OneAfterTheOther(ReadOnlyDatabase(CLOSED_S), NoConnectionLeft(CLOSED_S))
BROKEN_OFF = OneAfterTheOther(RestartDatabase(), EndConnections(), CutDatabaseLine())
LOCKED = ForeignLock()
SHUT = RefusedLogin(CLOSED_S)
SLOW = 6010
"""The bank takes a second for a charge of this amount."""
_WAITING = """
SELECT 1 FROM pg_stat_activity
WHERE application_name = :purpose AND wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def station(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> AsyncIterator[Station]:
    """One gateway for all tests of this file."""
    folder = tmp_path_factory.mktemp("lost")
    async with running_station(
        folder, databases=databases, by_line=True, requests_max=REQUESTS_MAX
    ) as station:
        await station.until_bank_is_ready(30)
        yield station


class Watch:
    """What the gateway says of itself, again and again; and how much memory it takes."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._first_mib = self._most_mib = self._memory_mib()
        self.readiness: Counter[int] = Counter()

    @property
    def growth_mib(self) -> float:
        return self._most_mib - self._first_mib

    async def look(self) -> None:
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            while True:
                await self.see(http)
                await asyncio.sleep(0.1)

    async def see(self, http: httpx.AsyncClient) -> bool:
        told = await http.get(f"http://127.0.0.1:{self._station.port()}/health/ready")
        self.readiness[told.status_code] += 1
        self._most_mib = max(self._most_mib, self._memory_mib())
        return told.status_code == 200

    async def until(self, status: int, within_s: float) -> None:
        """Until it is said again from now on."""
        said = self.readiness[status]
        async with asyncio.timeout(within_s):
            while self.readiness[status] == said:  # noqa: ASYNC110  # the gateway tells nobody
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
        await watch.until(200, READY_AGAIN_S)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def answered_s(station: Station) -> list[float]:
    """How long the gateway took over each sale, by its own log: a crowd's client is slow itself."""
    log = Path(station.gateway.environment["NETVALVE_LOG_FILE"]).read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    return [line["ms"] / 1000 for line in lines if line.get("operation") == "saleOperation"]


def sale() -> dict[str, Any]:
    return {"midId": 1, "amount": 10, "currency": "USD", "clientOrderId": fresh_order(), **CARD}


@pytest.mark.parametrize(
    "harm", [KILLED, STALLED, CLOSED, SHUT, BROKEN_OFF, LOCKED], ids=lambda harm: harm.name
)
async def test_nothing_is_lost_and_payments_go_on(station: Station, harm: DatabaseHarm) -> None:
    async with watching(station) as watch:
        result = await endure(station, harm, f"test {harm.name}")
    assert result.breaches == []
    assert result.approved > 0
    assert result.served_again_s < SERVED_AGAIN_S
    assert result.slowest_s < ANSWERED_S
    assert watch.readiness[503] or harm not in {KILLED, STALLED, CLOSED, SHUT}
    assert watch.growth_mib < GROWTH_MAX_MIB


async def test_more_than_may_wait_are_refused_at_once_and_the_rest_in_time(
    station: Station,
) -> None:
    async with watching(station) as watch, station.client(connections=CROWD) as http:
        asking = Asking(http)
        station.database.server.freeze()
        try:
            for _ in range(2):
                await asyncio.gather(*(asking.post("/sale", sale()) for _ in range(CROWD)))
        finally:
            station.database.server.thaw()
    calls = asking.calls
    assert {call.status for call in calls} <= {NOT_BEGUN, UNCERTAIN}
    assert [*misshapen(calls)] == []
    took_s = answered_s(station)[-len(calls) :]
    assert max(took_s) < LONGEST_S
    assert sum(each < AT_ONCE_S for each in took_s) > len(calls) / 2
    assert watch.growth_mib < GROWTH_MAX_MIB
    async with station.client() as http:
        assert [breach async for breach in untrue_refusals(calls, http)] == []


async def test_what_a_lost_session_has_locked_is_free_within_seconds(station: Station) -> None:
    """The gateway's end of its session is gone while it waits, and the server does not hear of it.

    So the session gets what it waited for, and nobody tells it to go on.
    """
    url = station.database.url
    async with watching(station) as watch:
        async with await psycopg.AsyncConnection.connect(url) as foreign:
            await foreign.execute("SELECT 1 FROM nodes FOR UPDATE")
            await until_locked(url, "netvalve lease")
            station.database.line.cut(database_hears=False)
        await watch.until(503, READY_AGAIN_S)


async def test_a_locked_order_holds_up_no_other(station: Station) -> None:
    """A forgotten transaction holds an order whose sale the bank is about to approve."""
    order, late = fresh_order(), []
    async with (
        station.client() as http,
        await psycopg.AsyncConnection.connect(station.database.url) as foreign,
    ):
        waiting = asyncio.create_task(
            http.post("/sale", json={**sale(), "amount": SLOW, "clientOrderId": order})
        )
        await until_held(foreign, order)
        for place in range(40):
            answer = asyncio.create_task(http.post("/sale", json=sale()))
            late += [answer] if place >= 25 else []
            await asyncio.sleep(0.2)
        codes = [(await each).json()["responseCode"] for each in late]
        told = (await waiting).json()
        assert told["responseCode"] == PENDING
        await foreign.rollback()
        await station.until_nothing_is_unknown(10)
        found = await http.get("/inquiry", params={"transactionId": told["transactionID"]})
    assert codes == [APPROVED] * len(late)
    assert found.json()["responseCode"] == APPROVED


async def until_held(foreign: psycopg.AsyncConnection, order: str) -> None:
    """Until the order is there and locked."""
    query = "SELECT 1 FROM orders WHERE client_order_id = %s FOR UPDATE"
    async with asyncio.timeout(READY_AGAIN_S):
        while not await (await foreign.execute(query, [order])).fetchall():
            await foreign.rollback()


async def until_locked(database_url: str, purpose: str) -> None:
    """Until a session with this purpose stands in line for a lock."""
    async with asyncio.timeout(READY_AGAIN_S):
        while not rows_of(database_url, _WAITING, purpose=purpose):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
