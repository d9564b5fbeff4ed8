"""Changes are folded into the tallies as fast as they come, and whatever happens in between."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

from netvalve.storage.postgres.connection import BY_NUMBER
from netvalve.storage.postgres.folding import fold, keep_folding
from netvalve.storage.postgres.pools import Writers
from stores import change, rows_of

A_BITE = 20_000
EVERY_S = 2.0
WITHIN_S = 20.0
_CHANGES = """
INSERT INTO tally_changes (client_id, listing, hour, mid_id, type, state, currency, rows)
SELECT 1, 'o', 486000 + n % 500, 1 + n % 20, 'SALE', 'APPROVED', 'USD', 1
FROM generate_series(1, :rows) n
"""
_LEFT = "SELECT count(*) FROM tally_changes"
_FOLDED = "SELECT span_h, sum(rows)::bigint FROM tallies GROUP BY span_h ORDER BY span_h"


@pytest.fixture
async def workers(postgres_url: str) -> AsyncIterator[Writers]:
    """Connections like those of a store's workers."""
    workers = Writers(postgres_url, 2, "worker", 5.0, **BY_NUMBER)
    await workers.start()
    yield workers
    await workers.stop()


def left(url: str) -> int:
    ((count,),) = rows_of(url, _LEFT)
    return int(count)


async def until_left(url: str, most: int, within_s: float = WITHIN_S) -> None:
    """Until no more than so many changes wait."""
    async with asyncio.timeout(within_s):
        while await asyncio.to_thread(left, url) > most:  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.02)


async def test_a_fold_takes_no_more_than_fits_its_time_and_says_that_there_is_more(
    workers: Writers, postgres_url: str
) -> None:
    change(postgres_url, _CHANGES, rows=A_BITE + 100)
    assert await workers.write(fold)
    assert left(postgres_url) == 100
    assert not await workers.write(fold)
    assert left(postgres_url) == 0
    spans = [(1, A_BITE + 100), (24, A_BITE + 100), (768, A_BITE + 100)]
    assert rows_of(postgres_url, _FOLDED) == spans


async def test_a_backlog_is_folded_without_a_rest(workers: Writers, postgres_url: str) -> None:
    change(postgres_url, _CHANGES, rows=4 * A_BITE)
    folding = asyncio.create_task(keep_folding(workers, EVERY_S))
    await until_left(postgres_url, 3 * A_BITE)
    await until_left(postgres_url, 0, within_s=2 * EVERY_S)
    folding.cancel()


async def test_two_gateways_never_fold_the_same_changes(
    workers: Writers, postgres_url: str
) -> None:
    change(postgres_url, _CHANGES, rows=A_BITE)

    async def while_another_is_at_it(connection: asyncpg.Connection) -> None:
        assert await fold(connection)
        assert not await workers.write(fold)

    await workers.write(while_another_is_at_it)
    assert [rows for _, rows in rows_of(postgres_url, _FOLDED)] == [A_BITE] * 3


async def test_no_failure_ends_the_folding(
    workers: Writers, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    change(postgres_url, _CHANGES, rows=10)
    change(postgres_url, "ALTER TABLE tallies RENAME TO away")
    folding = asyncio.create_task(keep_folding(workers, 0.05))
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(WITHIN_S):
            while not caplog.records:  # noqa: ASYNC110  # nor does the log
                await asyncio.sleep(0.02)
    change(postgres_url, "ALTER TABLE away RENAME TO tallies")
    await until_left(postgres_url, 0)
    folding.cancel()
