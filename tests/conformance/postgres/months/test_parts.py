"""The parts of the months: made ahead, found alone by a number, and listed."""

import re

import asyncpg
import psycopg
import pytest

from conformance.postgres.months.ledger import Ledger, Sold, until
from conformance.postgres.months.unended import a_hold, a_pending_sale
from conformance.store.months import MovedClock
from conformance.store.samples import CLIENT
from conformance.store.seated import SeatedStore, started
from netvalve.storage.engine import engine_of
from netvalve.storage.migrate import migrate
from netvalve.storage.months import began_at_ms, first_number
from netvalve.storage.postgres import store as postgres_store
from netvalve.storage.postgres.archive import Right
from netvalve.storage.postgres.month_list import months
from netvalve.storage.postgres.partitions import BY_MONTH, months_from, part, server_now_ms
from netvalve.storage.postgres.query import Query
from netvalve.storage.queries import ORDER, TRANSACTION_ON_ORDER
from stores import change


async def test_the_months_are_listed_with_what_is_open_in_each(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    await sold()
    await a_hold(store, ledger.later)
    await a_pending_sale(store, ledger.later)
    ledger.archive(Right.REFUNDS)
    gone, second, *_ = months(ledger.url)
    assert (gone.month, gone.open) == (ledger.month, None)
    assert gone.archived_at_ms
    assert (second.month, second.archived_at_ms) == (ledger.later, None)
    assert second.open is not None
    assert (second.open.pending, second.open.held, second.open.refundable) == (1, 1, 0)
    assert second.bytes > 0


async def test_an_enquiry_by_number_looks_into_one_month(ledger: Ledger) -> None:
    connection = await asyncpg.connect(ledger.url)
    values = {"client_id": CLIENT, "order_id": first_number(ledger.month), "transaction_id": 1}
    for question, names in ((ORDER, ("order_id",)), (TRANSACTION_ON_ORDER, ("transaction_id",))):
        query = Query.of(question)
        given = values | dict.fromkeys(names, first_number(ledger.later) + 1)
        plan = await connection.fetch(f"EXPLAIN {query.text}", *query.bound(given))
        scanned = re.findall(r" on (\w+?_\w+)", "\n".join(step for (step,) in plan))
        table = names[0].replace("_id", "s")
        of_table = {each for each in scanned if each.startswith(f"{table}_")}
        assert of_table == {part(table, ledger.later)}
    await connection.close()


async def test_the_months_to_come_are_made_ahead_by_a_running_store(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    lose_the_last_month(ledger.url)
    monkeypatch.setattr(postgres_store, "_MONTHS_EVERY_S", 0.05)
    seated = await started(ledger.url, MovedClock(began_at_ms(ledger.month)))
    try:
        await until(lambda: has_all_months(ledger.url))
    finally:
        await seated.stop()


def test_the_months_to_come_are_made_ahead_by_a_migration(ledger: Ledger) -> None:
    lose_the_last_month(ledger.url)
    assert not has_all_months(ledger.url)
    migrate(ledger.url)
    assert has_all_months(ledger.url)


def lose_the_last_month(url: str) -> None:
    *_, last = expected_months(url)
    for table in BY_MONTH:
        change(url, f"DROP TABLE {part(table, last)}")


def has_all_months(url: str) -> bool:
    with psycopg.connect(url) as connection:
        names = {name for (name,) in connection.execute("SELECT relname FROM pg_class")}
    return names >= {part(table, each) for each in expected_months(url) for table in BY_MONTH}


def expected_months(url: str) -> list[int]:
    with engine_of(url) as engine, engine.connect() as connection:
        return [*months_from(server_now_ms(connection))]
