"""A server that is there and lets the gateway in no more: refused meanwhile, and then gone on.

An operator who changes a password or a rule ends no worker, and no process.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import asyncpg
import pytest
from psycopg import sql

from conformance.postgres.test_losing_the_server import EVERYTHING, back, first_to_meet_it, found
from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import SeatedStore, StillClock, started
from conformance.store.test_take_over import BANK
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.search import PageRequest
from postgres import ROLE, PostgresServer

REFUSED_WITHIN_S = 15.0
LET_IN_WITHIN_S = 10.0
Shut = Callable[[PostgresServer, str], AbstractContextManager[None]]


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SeatedStore]:
    """A store with one gateway on it, straight at the server."""
    store = await started(postgres_url, StillClock(NOW_MS))
    yield store
    await store.stop()


@contextmanager
def another_password(server: PostgresServer, _database: str) -> Iterator[None]:
    """The one that the gateway has been given is wrong."""
    change = sql.SQL("ALTER ROLE {} PASSWORD {}")
    with server.connect() as superuser:
        superuser.execute(change.format(sql.Identifier(ROLE), sql.Literal("another")))
        try:
            yield
        finally:
            superuser.execute(change.format(sql.Identifier(ROLE), sql.Literal(server.password)))


@contextmanager
def no_login(server: PostgresServer, _database: str) -> Iterator[None]:
    """The role may do what it could, and not log in."""
    server.execute("ALTER ROLE {} NOLOGIN", ROLE)
    try:
        yield
    finally:
        server.execute("ALTER ROLE {} LOGIN", ROLE)


def a_rule(server: PostgresServer, database: str) -> AbstractContextManager[None]:
    """A line of pg_hba.conf."""
    return server.rejecting(database)


@pytest.mark.parametrize("shut", [another_password, no_login, a_rule])
async def test_a_gateway_that_is_let_in_no_more_is_refused_until_it_is(
    shut: Shut, store: SeatedStore, pay: Pay, postgres: PostgresServer, postgres_url: str
) -> None:
    kept, refused = await pay(payment()), payment()
    database = postgres_url.rpartition("/")[2]
    with shut(postgres, database):
        await until_shut(postgres_url)
        postgres.disconnect(database)
        async with asyncio.timeout(REFUSED_WITHIN_S), first_to_meet_it(store):
            for ask in (
                store.journal.open(refused.opening),
                store.seat.lease.renew(),
                store.records.order(CLIENT, kept.order.order_id),
                store.records.history(kept.transaction.transaction_id),
                store.forwards.due(BANK, NOW_MS, 10),
                store.orphans.left_by(),
                store.keys.forget(NOW_MS, 10),
                store.expiring.due(BANK, NOW_MS, 10),
                store.store.allowances.count(CLIENT, 1),
                store.records.orders(EVERYTHING, PageRequest(0, 10)),
                anext(store.records.export(EVERYTHING, lambda columns: columns)),
            ):
                with pytest.raises(StoreUnavailable):
                    await ask
            assert not await store.records.writable()
    await back(pay)
    await store.seat.lease.renew()
    assert await found(store, kept)
    assert not await found(store, refused)


async def until_shut(url: str) -> None:
    """The server reads its rules again in its own time."""
    async with asyncio.timeout(LET_IN_WITHIN_S):
        with suppress(asyncpg.PostgresError):
            while True:
                await (await asyncpg.connect(url)).close()
