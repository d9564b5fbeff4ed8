"""The server is killed, frozen, restarted or will not write: refused meanwhile, and then gone on.

Nothing that was acknowledged is lost, and nothing that was refused is there.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from conformance.store.acknowledging import acknowledged_until
from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, Payment, payment
from conformance.store.seated import SeatedStore, StillClock, started
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.domain.search import PageRequest, Search
from netvalve.storage.migrate import StoreNotReady
from postgres import PostgresServer
from stores import Databases, change

BACK_WITHIN_S = 20.0
REFUSED_WITHIN_S = 15.0
EVERYTHING = Search(CLIENT)


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[SeatedStore]:
    """A store with one gateway on it, straight at the server."""
    store = await started(postgres_url, StillClock(NOW_MS))
    yield store
    await store.stop()


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, serving again afterwards whatever was done to it."""
    yield postgres
    postgres.thaw()
    if not postgres.serves:
        postgres.serve()


async def back(pay: Pay) -> Payment:
    """The first payment that is taken again."""
    async with asyncio.timeout(BACK_WITHIN_S):
        while True:
            try:
                return await pay(payment())
            except (StoreUnavailable, StoreUncertain):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def first_to_meet_it(store: SeatedStore) -> AsyncIterator[None]:
    """While somebody waits who wrote just as it happened: nobody knows yet what became of that."""
    meets_it = asyncio.create_task(store.journal.open(payment().opening))
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        meets_it.cancel()
        await asyncio.gather(meets_it, return_exceptions=True)


async def found(store: SeatedStore, one: Payment) -> bool:
    return await store.records.order(CLIENT, one.order.order_id) is not None


async def test_acknowledged_writes_survive_a_kill_of_the_server(
    server: PostgresServer, postgres_url: str
) -> None:
    def lose_the_server(writer: "subprocess.Popen[str]") -> None:
        server.kill()
        server.serve()
        writer.kill()

    acknowledged = acknowledged_until(lose_the_server, postgres_url)
    store = await started(postgres_url, StillClock(NOW_MS))
    kept = [await store.records.order(CLIENT, order_id) for order_id in acknowledged]
    await store.stop()
    assert None not in kept


async def test_while_there_is_no_server_all_is_refused_and_then_gone_on_with(
    store: SeatedStore, pay: Pay, server: PostgresServer
) -> None:
    kept = await pay(payment())
    server.kill()
    refused = payment()
    async with asyncio.timeout(REFUSED_WITHIN_S), first_to_meet_it(store):
        with pytest.raises(StoreUnavailable):
            await store.journal.open(refused.opening)
        with pytest.raises(StoreUnavailable):
            await store.records.order(CLIENT, kept.order.order_id)
        with pytest.raises(StoreUnavailable):
            await store.records.orders(EVERYTHING, PageRequest(0, 10))
        with pytest.raises(StoreUnavailable):
            await anext(store.records.export(EVERYTHING, lambda columns: columns))
        assert not await store.records.writable()
    server.serve()
    await back(pay)
    assert await found(store, kept)
    assert not await found(store, refused)
    assert await store.records.writable()


async def test_a_server_restarted_under_load_costs_nothing_that_was_acknowledged(
    store: SeatedStore, pay: Pay, server: PostgresServer
) -> None:
    acknowledged: list[Payment] = []
    enough, stop = asyncio.Event(), asyncio.Event()

    async def sell() -> None:
        while not stop.is_set():
            try:
                acknowledged.append(await pay(payment()))
            except (StoreUnavailable, StoreUncertain):
                await asyncio.sleep(0.01)
            if len(acknowledged) > 50:
                enough.set()

    selling = [asyncio.create_task(sell()) for _ in range(20)]
    await enough.wait()
    await asyncio.to_thread(server.restart)
    await back(pay)
    stop.set()
    await asyncio.gather(*selling)
    for one in acknowledged:
        assert await found(store, one)


async def test_a_server_that_answers_nothing_is_given_up_in_time_and_asked_again(
    store: SeatedStore, pay: Pay, server: PostgresServer
) -> None:
    """What was on its way when it froze has its true end once it moves again."""
    await pay(payment())
    server.freeze()
    one = payment()
    opening = asyncio.create_task(store.journal.open(one.opening))
    async with asyncio.timeout(REFUSED_WITHIN_S):
        with pytest.raises(StoreUnavailable):
            await store.records.order(CLIENT, 1)
        with pytest.raises(StoreUnavailable):
            await store.seat.lease.renew()
    server.thaw()
    try:
        async with asyncio.timeout(BACK_WITHIN_S):
            assert await opening is None
    except StoreUnavailable:
        await back(pay)
        assert not await found(store, one)
    else:
        assert await found(store, one)
    await back(pay)


async def test_a_database_that_takes_no_writes_refuses_them_until_it_does(
    store: SeatedStore, pay: Pay, server: PostgresServer, postgres_url: str
) -> None:
    """As after a fail-over, when the server that was the primary is a standby."""
    kept = await pay(payment())
    name = postgres_url.rpartition("/")[2]
    server.execute("ALTER DATABASE {} SET default_transaction_read_only = on", name)
    server.disconnect(name)
    refused = payment()
    async with asyncio.timeout(REFUSED_WITHIN_S), first_to_meet_it(store):
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await store.journal.open(refused.opening)
        assert await found(store, kept)
    server.execute("ALTER DATABASE {} RESET default_transaction_read_only", name)
    await back(pay)
    assert not await found(store, refused)


async def test_a_server_without_a_free_connection_is_waited_for_without_an_end_of_the_process(
    store: SeatedStore, pay: Pay, server: PostgresServer, postgres_url: str
) -> None:
    await pay(payment())
    name = postgres_url.rpartition("/")[2]
    server.execute("ALTER DATABASE {} CONNECTION LIMIT 0", name)
    server.disconnect(name)
    async with asyncio.timeout(REFUSED_WITHIN_S), first_to_meet_it(store):
        with pytest.raises(StoreUnavailable):
            await store.journal.open(payment().opening)
        with pytest.raises(StoreUnavailable):
            await store.records.order(CLIENT, 1)
    server.execute("ALTER DATABASE {} CONNECTION LIMIT -1", name)
    await back(pay)


async def test_a_database_without_tables_is_refused_with_what_to_do(databases: Databases) -> None:
    with pytest.raises(StoreNotReady, match="netvalve migrate"):
        await started(databases.empty(), StillClock(NOW_MS))


async def test_a_database_of_a_release_too_old_is_refused_with_what_to_do(
    postgres_url: str,
) -> None:
    change(postgres_url, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreNotReady, match="netvalve migrate"):
        await started(postgres_url, StillClock(NOW_MS))
