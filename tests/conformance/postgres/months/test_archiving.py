"""Archiving while gateways go on: it closes a month first, and goes on where it broke."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError

from conformance.postgres.months.ledger import (
    REFUND_FROM,
    Ledger,
    Sold,
    refunded,
    totals,
    until,
)
from conformance.postgres.months.unended import a_pending_refund
from conformance.store.months import in_month, transaction_in
from conformance.store.samples import CLIENT, follow_up, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.transaction import TransactionType
from netvalve.storage.engine import engine_of
from netvalve.storage.postgres import month_leaving
from netvalve.storage.postgres.archive import MonthStays, Right
from netvalve.storage.postgres.partitions import part_of
from postgres import PostgresServer
from stores import change


async def test_archiving_again_changes_nothing(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    await sold()
    first = ledger.archive(Right.REFUNDS)
    at = ledger.rows("SELECT * FROM archived_months")
    assert ledger.archive() == first
    assert ledger.rows("SELECT * FROM archived_months") == at
    assert await totals(store) == (0, 0)
    change(ledger.url, f"DROP TABLE {', '.join(first)}")
    with pytest.raises(MonthStays, match="its tables are gone from here"):
        ledger.archive()


async def test_an_archiving_that_broke_goes_on_where_it_stood(
    store: SeatedStore, sold: Sold, postgres: PostgresServer, ledger: Ledger
) -> None:
    """A long reader keeps it from ending; then its connection is cut; then it is asked again."""
    sale = await sold()
    reader = await asyncpg.connect(ledger.url)
    reading = reader.transaction(isolation="repeatable_read", readonly=True)
    await reading.start()
    await reader.fetch("SELECT 1 FROM orders")
    with ThreadPoolExecutor(1) as beside:
        broken = beside.submit(ledger.archive, Right.REFUNDS)
        await until(lambda: is_leaving(ledger))
        assert await store.records.order(CLIENT, sale.order.order_id) is None
        with postgres.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE query LIKE 'ALTER TABLE orders DETACH%%'"
            )
        with pytest.raises(OperationalError):
            await asyncio.wrap_future(broken)
    assert ledger.breaches() == ()
    await sold(in_=ledger.later)
    await reading.rollback()
    await reader.close()
    ledger.archive()
    assert await totals(store) == (1, 1)
    assert ledger.breaches() == ()


def is_leaving(ledger: Ledger) -> bool:
    with engine_of(ledger.url) as engine, engine.connect() as connection:
        found = part_of(connection, "orders", ledger.month)
    return found is None or found.leaving


async def test_nothing_begins_on_an_order_while_its_month_is_closed(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    """And whatever else is opened in the same batch is."""
    sale = await sold()
    with engine_of(ledger.url) as engine, engine.connect() as opened:
        connection = opened.execution_options(isolation_level="AUTOCOMMIT")
        assert month_leaving.close(connection, ledger.month) is None
    refund = follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=100)
    opening = transaction_in(ledger.later, refund).opening
    other = in_month(ledger.later, payment())
    told, refusal = await asyncio.gather(
        store.journal.open(opening), store.journal.open(other.opening), return_exceptions=True
    )
    assert isinstance(told, asyncpg.RaiseError)
    assert refusal is None
    assert ledger.rows("SELECT count(*) FROM transactions WHERE type = 'REFUND'") == [(0,)]


async def test_what_had_begun_before_the_closing_opens_the_month_again(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    await a_pending_refund(store, ledger.month)
    sale = await sold()
    with engine_of(ledger.url) as engine, engine.connect() as opened:
        connection = opened.execution_options(isolation_level="AUTOCOMMIT")
        assert "just begun" in (month_leaving.close(connection, ledger.month) or "")
    await refunded(store, sale, ledger.later)
    assert ledger.rows("SELECT * FROM archived_months") == []
