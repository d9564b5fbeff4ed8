"""An export of much begins at once and leaves nothing on the server's disk."""

import asyncio
from contextlib import aclosing

import psycopg

from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import StillClock, started
from netvalve.domain.search import Search
from stores import Databases, change, rows_of

_COPIES = """
INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object({changed}))).*
FROM {table} one, generate_series(1, 20000) n
"""
_ORDER = "'order_id', order_id + n, 'opening_id', opening_id + n, 'created_at_ms', n * 7919 % 20000"
_TRANSACTION = """
'order_id', order_id + n, 'transaction_id', transaction_id + n, 'opened_at_ms', n * 7919 % 20000
"""
_WRITTEN = "SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()"
_AS_IF_LARGE = ("work_mem = '64kB'", "random_page_cost = 40", "effective_cache_size = '1MB'")
"""Sorting everything costs least, all in all."""
_TOLD_S = 1.5
"""The server's processes tell their statistics once a second."""


async def test_an_export_of_all_rows_is_read_along_an_index_and_not_sorted_first(
    databases: Databases,
) -> None:
    url = databases.fresh()
    await filled(url)
    change(url, "ANALYZE")
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in _AS_IF_LARGE:
            connection.execute(f'ALTER DATABASE "{connection.info.dbname}" SET {setting}')
    await asyncio.sleep(_TOLD_S)
    before = rows_of(url, _WRITTEN)
    store = await started(url, StillClock(NOW_MS))
    rows = 0
    try:
        async with aclosing(store.records.export(Search(CLIENT), lambda found: found)) as chunks:
            async for found in chunks:
                rows += len(found.transaction_id)
    finally:
        await store.stop()
    assert rows == 20_001
    await asyncio.sleep(_TOLD_S)
    assert rows_of(url, _WRITTEN) == before


async def filled(url: str) -> None:
    store = await started(url, StillClock(NOW_MS))
    await store.journal.open(payment().opening)
    await store.stop()
    change(url, _COPIES.format(table="orders", changed=_ORDER))
    change(url, _COPIES.format(table="transactions", changed=_TRANSACTION))
