"""A gateway on a database whose oldest month is over."""

from collections.abc import AsyncIterator

import pytest

from conformance.postgres.months.ledger import Ledger, Sold
from conformance.store.conftest import HASHER
from conformance.store.months import MovedClock, in_month
from conformance.store.samples import Payment, payment
from conformance.store.seated import SeatedStore, started
from netvalve.storage.administration import Administration
from netvalve.storage.engine import engine_of
from netvalve.storage.months import month_of
from netvalve.storage.postgres.partitions import server_now_ms


@pytest.fixture
def ledger(postgres_url: str) -> Ledger:
    with engine_of(postgres_url) as engine, engine.connect() as connection:
        return Ledger(postgres_url, month_of(server_now_ms(connection)))


@pytest.fixture
async def store(ledger: Ledger) -> AsyncIterator[SeatedStore]:
    Administration(ledger.url, HASHER).add_client("Shop")
    seated = await started(ledger.url, MovedClock(ledger.now_ms))
    yield seated
    await seated.stop()


@pytest.fixture
def sold(store: SeatedStore, ledger: Ledger) -> Sold:
    """Takes a payment of the oldest month that is approved."""

    async def paid(one: Payment | None = None, in_: int = ledger.month) -> Payment:
        sale = in_month(in_, one or payment())
        assert await store.journal.open(sale.opening) is None
        assert await store.journal.close(sale.closing())
        return sale

    return paid
