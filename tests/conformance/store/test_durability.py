"""What was acknowledged is there after a kill, and nobody changes what has happened."""

import subprocess

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from conformance.store.acknowledging import acknowledged_until
from conformance.store.conftest import Pay, Starter
from conformance.store.samples import CLIENT, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.administration import Administration
from netvalve.storage.migrate import StoreNotReady
from stores import change, changing


async def test_acknowledged_writes_survive_a_kill(start: Starter, database_url: str) -> None:
    acknowledged = acknowledged_until(subprocess.Popen.kill, database_url)
    store = await start()
    for order_id in acknowledged:
        assert await store.records.order(CLIENT, order_id) is not None


async def test_a_database_of_a_newer_release_is_refused(database_url: str, start: Starter) -> None:
    with changing(database_url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE compatibility SET oldest_revision = '9999'"))
    with pytest.raises(StoreNotReady, match="another release"):
        await start()


async def test_a_stopped_store_refuses_writes(start: Starter) -> None:
    store = await start()
    await store.stop()
    with pytest.raises(StoreUnavailable):
        await store.journal.open(payment().opening)
    assert not await store.records.writable()


async def test_history_is_never_changed(pay: Pay, database_url: str) -> None:
    await pay(payment())
    for statement in ("UPDATE events SET at_ms = 0", "DELETE FROM events"):
        with pytest.raises(DBAPIError, match="never"):
            change(database_url, statement)


async def test_what_operators_read_is_what_payments_wrote(
    store: SeatedStore, pay: Pay, administration: Administration
) -> None:
    one = await pay(payment())
    transaction, order, history = administration.transaction(one.transaction.transaction_id)
    assert (transaction, order) == await store.records.transaction(
        CLIENT, one.transaction.transaction_id
    )
    assert administration.order(one.order.order_id) == (order, (transaction,), history)
    assert len(history) == 2
