"""The database by itself: what it has acknowledged it keeps, whatever happens to its primary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import asyncpg
import pytest

from ha.cluster import DATABASE, USER, Cluster, until
from ha.harms import CutPrimary, KillPrimary, StopReplica

WRITERS = 8
BEFORE_S = 3.0
BACK_S = 90.0
WHOLE_S = 120.0
ANSWER_S = 5.0
ALONE_S = 10.0
"""Several of Patroni's rounds, in which it might have made do without a standby."""
TABLE = "kept"


class Writers:
    """Insert one row after the other, and remember what was acknowledged."""

    def __init__(self, password: str) -> None:
        self._dsn = f"postgresql://{USER}:{password}@127.0.0.1:5432/{DATABASE}"
        self._numbers = count(1)
        self.acknowledged: set[int] = set()

    async def work(self, stop: asyncio.Event) -> None:
        """Write until told to stop, over a new connection where the old one fails."""
        while not stop.is_set():
            try:
                connection = await asyncpg.connect(self._dsn, timeout=ANSWER_S)
                await self._write(connection, stop)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)

    async def _write(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                number = next(self._numbers)
                insert = connection.execute(f"INSERT INTO {TABLE} VALUES ($1)", number)
                await asyncio.wait_for(insert, ANSWER_S)
                self.acknowledged.add(number)
        finally:
            connection.terminate()

    async def until_more(self, within_s: float) -> None:
        """Return once something more has been acknowledged."""
        wanted = len(self.acknowledged) + WRITERS
        await asyncio.to_thread(
            until, lambda: len(self.acknowledged) >= wanted, within_s, "acknowledged rows"
        )


@asynccontextmanager
async def writing(cluster: Cluster) -> AsyncIterator[Writers]:
    """A fresh table with writers at work."""
    with cluster.connect() as connection:
        connection.execute(f"DROP TABLE IF EXISTS {TABLE}")
        connection.execute(f"CREATE TABLE {TABLE} (number bigint PRIMARY KEY)")
    writers, stop = Writers(cluster.password), asyncio.Event()
    tasks = [asyncio.create_task(writers.work(stop)) for _ in range(WRITERS)]
    try:
        await writers.until_more(BACK_S)
        yield writers
    finally:
        stop.set()
        await asyncio.gather(*tasks)


@pytest.mark.usefixtures("desk")  # its HAProxy is the writers' way to the primary
@pytest.mark.parametrize("kind", [KillPrimary, CutPrimary, StopReplica])
async def test_no_acknowledged_row_is_lost(
    kind: type[KillPrimary | CutPrimary | StopReplica], cluster: Cluster
) -> None:
    harm = kind(cluster)
    async with writing(cluster) as writers:
        await asyncio.sleep(BEFORE_S)
        await asyncio.to_thread(harm.strike)
        await asyncio.sleep(1)
        await writers.until_more(BACK_S)
        await asyncio.to_thread(harm.mend)
        await asyncio.to_thread(cluster.until_whole, WHOLE_S)
        await writers.until_more(BACK_S)
    with cluster.connect() as connection:
        kept = {row[0] for row in connection.execute(f"SELECT number FROM {TABLE}")}
    assert writers.acknowledged - kept == set()


@pytest.mark.usefixtures("desk")
async def test_nothing_is_acknowledged_without_a_standby(cluster: Cluster) -> None:
    primary = cluster.primary()
    standbys = [each for each in cluster.machines if each is not primary]
    async with writing(cluster) as writers:
        for machine in standbys:
            await asyncio.to_thread(cluster.stop_patroni, machine)
        acknowledged = len(writers.acknowledged)
        await asyncio.sleep(ALONE_S)
        assert len(writers.acknowledged) == acknowledged
        for machine in standbys:
            await asyncio.to_thread(cluster.start_patroni, machine)
        await writers.until_more(BACK_S)
        await asyncio.to_thread(cluster.until_whole, WHOLE_S)
