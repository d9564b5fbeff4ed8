"""Months on PostgreSQL: made ahead, found alone by a number, and archived whole.

What is archived here is of the present month, whose parts every new database has; the present is
put three months later.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from conformance.store.conftest import HASHER
from conformance.store.months import MovedClock, in_month, transaction_in
from conformance.store.samples import (
    CLIENT,
    NOW_MS,
    Payment,
    follow_up,
    keyed,
    payment,
    refund_closing,
)
from conformance.store.seated import SeatedStore, started
from netvalve.domain.journal import BalanceChange, Forward, ForwardKind, Move, OpeningRefusal
from netvalve.domain.lifecycle import Event, sources_of
from netvalve.domain.search import PageRequest, Search
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.storage.administration import Administration
from netvalve.storage.engine import engine_of
from netvalve.storage.migrate import migrate
from netvalve.storage.months import began_at_ms, first_number, month_after, month_of
from netvalve.storage.postgres import month_leaving
from netvalve.storage.postgres import store as postgres_store
from netvalve.storage.postgres.archive import MonthStays, Right, archive
from netvalve.storage.postgres.month_list import months
from netvalve.storage.postgres.partitions import (
    BY_MONTH,
    months_from,
    part,
    part_of,
    server_now_ms,
)
from netvalve.storage.postgres.query import Query
from netvalve.storage.queries import ORDER, TRANSACTION_ON_ORDER
from netvalve.storage.verification.breach import Breach
from netvalve.storage.verification.verification import verify
from postgres import PostgresServer
from stores import change, rows_of

Sold = Callable[..., Awaitable[Payment]]
REFUND_FROM = sources_of(Event.REFUNDED)
EVERYTHING = tuple(Right)


@dataclass(frozen=True)
class Ledger:
    """A database, and its oldest month: the present one when it was made."""

    url: str
    month: int

    @property
    def later(self) -> int:
        """The month after it."""
        return month_after(self.month)

    @property
    def now_ms(self) -> int:
        """When both are over."""
        return began_at_ms(month_after(self.later)) + 1

    def archive(self, *given_up: Right, month: int | None = None) -> tuple[str, ...]:
        return archive(self.url, month or self.month, give_up=given_up, now_ms=self.now_ms)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return rows_of(self.url, query)

    def breaches(self) -> tuple[Breach, ...]:
        return verify(self.url, first=1).breaches


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


async def refunded(
    store: SeatedStore, sale: Payment, in_: int, amount_minor: int = 1200
) -> Payment:
    """A refund of a later month, of all unless said otherwise."""
    whole = amount_minor == sale.transaction.amount_minor
    event = Event.REFUNDED if whole else Event.PARTIALLY_REFUNDED
    one = follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=amount_minor)
    refund = transaction_in(in_, one)
    assert await store.journal.open(refund.opening) is None
    moves = (Move(sale.transaction.transaction_id, event),)
    assert await store.journal.close(replace(refund_closing(refund, event), moves=moves))
    return refund


async def totals(store: SeatedStore) -> tuple[int, int]:
    """How many orders and transactions the client is told of; as many as it is shown."""
    page = PageRequest(0, 100)
    orders = await store.records.orders(Search(CLIENT), page)
    transactions = await store.records.transactions(Search(CLIENT), page)
    assert len(orders.rows) == orders.total
    assert len(transactions.rows) == transactions.total
    return orders.total, transactions.total


async def test_an_archived_month_is_unknown_to_every_enquiry(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    sale = await sold(payment(client_order_id="order 1"))
    await refunded(store, sale, ledger.month)
    kept = await sold(in_=ledger.later)
    tables = ledger.archive()
    assert tables == tuple(f"{table}_{ledger.month}" for table in (*BY_MONTH, "forwards"))
    records, order, number = store.records, sale.order, sale.transaction.transaction_id
    assert await records.order(CLIENT, order.order_id) is None
    assert await records.order_by_client_order_id(CLIENT, "order 1") is None
    assert await records.transaction(CLIENT, number) is None
    assert await records.history(number) == ()
    assert await totals(store) == (1, 1)
    assert await records.order(CLIENT, kept.order.order_id) is not None
    assert ledger.rows(f"SELECT order_id FROM orders_{ledger.month}") == [(order.order_id,)]
    assert ledger.rows(f"SELECT count(*) FROM transactions_{ledger.month}") == [(2,)]
    assert ledger.breaches() == ()


async def test_a_client_order_id_of_an_archived_month_is_refused_for_ever(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    await sold(payment(client_order_id="order 1"))
    ledger.archive(Right.REFUNDS)
    again = in_month(ledger.later, payment(client_order_id="order 1"))
    assert await store.journal.open(again.opening) is OpeningRefusal.DUPLICATE_CLIENT_ORDER


async def test_nothing_is_opened_on_an_archived_order(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    sale = await sold()
    ledger.archive(Right.REFUNDS)
    refund = follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=100)
    opening = transaction_in(ledger.later, refund).opening
    assert await store.journal.open(opening) is OpeningRefusal.GUARD


async def test_an_order_leaves_with_all_that_later_months_have_of_it(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    sale = await sold()
    refund = await refunded(store, sale, ledger.later, amount_minor=200)
    rebill = in_month(
        ledger.later, payment(TransactionType.REBILL, parent_id=refund.transaction.transaction_id)
    )
    assert await store.journal.open(rebill.opening) is None
    assert await store.journal.close(rebill.closing())
    ledger.archive(*EVERYTHING)
    number = refund.transaction.transaction_id
    assert await totals(store) == (1, 1)
    for table in ("transactions", "events"):
        count = f"SELECT count(*) FROM {table}{{}} WHERE transaction_id = {number}"
        assert ledger.rows(count.format("")) == [(0,)]
        assert ledger.rows(count.format(f"_{ledger.month}")) != [(0,)]
    assert ledger.breaches() == ()


async def test_history_cannot_be_changed_after_an_archiving_either(
    store: SeatedStore, sold: Sold, ledger: Ledger
) -> None:
    await refunded(store, await sold(), ledger.later, amount_minor=200)
    await sold(in_=ledger.later)
    ledger.archive(*EVERYTHING)
    with pytest.raises(Exception, match="never changed"):
        change(ledger.url, "DELETE FROM events")


async def a_pending_sale(store: SeatedStore, month: int) -> None:
    assert await store.journal.open(in_month(month, payment()).opening) is None


async def a_pending_refund(store: SeatedStore, month: int) -> None:
    sale = in_month(month, payment())
    assert await store.journal.open(sale.opening) is None
    assert await store.journal.close(sale.closing())
    refund = follow_up(sale, TransactionType.REFUND, REFUND_FROM, amount_minor=100)
    assert await store.journal.open(transaction_in(month_after(month), refund).opening) is None


async def a_reversal_that_waits(store: SeatedStore, month: int) -> None:
    lost = in_month(month, payment())
    transaction = lost.transaction
    reversal = Forward(
        ForwardKind.REVERSAL,
        transaction.transaction_id,
        1,
        NOW_MS,
        replace(transaction.identity, stan="000077"),
        transaction.identity.rrn,
    )
    unanswered = lost.closing(
        Event.UNANSWERED,
        outcome=Outcome("GTW_2054"),
        balance=BalanceChange(),
        charge_id=None,
        forward=reversal,
    )
    assert await store.journal.open(lost.opening) is None
    assert await store.journal.close(unanswered)


async def a_hold(store: SeatedStore, month: int, *, ends: bool = True) -> None:
    held = in_month(month, payment(TransactionType.AUTHORIZATION))
    if ends:
        new_order = held.opening.new_order
        assert new_order is not None
        order = replace(new_order.order, expires_at_ms=held.transaction.opened_at_ms + 1)
        held = Payment(replace(held.opening, new_order=replace(new_order, order=order)))
    assert await store.journal.open(held.opening) is None
    assert await store.journal.close(held.closing())


async def a_hold_without_an_end(store: SeatedStore, month: int) -> None:
    await a_hold(store, month, ends=False)


async def a_key(store: SeatedStore, month: int) -> None:
    declined = in_month(month, keyed(payment(), "key"))
    assert await store.journal.open(declined.opening) is None
    decline = declined.closing(
        Event.DECLINED, outcome=Outcome("BNK_2005", "05"), balance=BalanceChange(), charge_id=None
    )
    assert await store.journal.close(decline)


async def a_sale(store: SeatedStore, month: int) -> None:
    sale = in_month(month, payment())
    assert await store.journal.open(sale.opening) is None
    assert await store.journal.close(sale.closing())


async def a_rebill_of_a_declined_sale(store: SeatedStore, month: int) -> None:
    sale = in_month(month, payment())
    assert await store.journal.open(sale.opening) is None
    decline = sale.closing(
        Event.DECLINED, outcome=Outcome("BNK_2005", "05"), balance=BalanceChange(), charge_id=None
    )
    assert await store.journal.close(decline)
    later = payment(TransactionType.REBILL, parent_id=sale.transaction.transaction_id)
    await a_sale_of(store, in_month(month_after(month), later))


async def a_sale_of(store: SeatedStore, one: Payment) -> None:
    assert await store.journal.open(one.opening) is None
    assert await store.journal.close(one.closing())


@pytest.mark.parametrize(
    ("something", "says"),
    [
        (a_pending_sale, "1 transactions without an outcome"),
        (a_pending_refund, "1 transactions without an outcome"),
        (a_reversal_that_waits, "1 messages that are not done"),
        (a_hold, "1 authorizations on hold"),
        (a_key, "1 Idempotency-Keys that are still known"),
    ],
)
async def test_what_has_not_come_to_its_end_keeps_its_month(
    something: Callable[[SeatedStore, int], Awaitable[None]],
    says: str,
    store: SeatedStore,
    ledger: Ledger,
) -> None:
    await something(store, ledger.month)
    with pytest.raises(MonthStays, match=says):
        ledger.archive(*EVERYTHING)
    assert ledger.rows("SELECT * FROM archived_months") == []


@pytest.mark.parametrize(
    ("something", "right", "says"),
    [
        (a_sale, Right.REFUNDS, "1 orders with money that could be refunded"),
        (a_hold_without_an_end, Right.CAPTURES, "1 authorizations that their bank cannot cancel"),
        (a_rebill_of_a_declined_sale, Right.REBILLS, "1 transactions that later rebills name"),
    ],
)
async def test_what_could_still_be_asked_for_is_given_up_by_name_alone(
    something: Callable[[SeatedStore, int], Awaitable[None]],
    right: Right,
    says: str,
    store: SeatedStore,
    ledger: Ledger,
) -> None:
    await something(store, ledger.month)
    others = [each for each in Right if each is not right]
    with pytest.raises(MonthStays, match=f"{says}.*--give-up-{right}"):
        ledger.archive(*others)
    ledger.archive(right)
    assert ledger.breaches() == ()


def test_a_month_that_is_not_over_stays(ledger: Ledger) -> None:
    for present_or_later in (ledger.month, ledger.later):
        with pytest.raises(MonthStays, match="is not over"):
            archive(ledger.url, present_or_later)


def test_a_month_that_never_was_is_named(ledger: Ledger) -> None:
    with pytest.raises(MonthStays, match="there is no month 0101"):
        archive(ledger.url, 101)


async def test_the_oldest_month_leaves_first(sold: Sold, ledger: Ledger) -> None:
    await sold()
    with pytest.raises(MonthStays, match=f"the months before {ledger.later} first"):
        ledger.archive(month=ledger.later)
    ledger.archive(Right.REFUNDS)
    ledger.archive(month=ledger.later)


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


async def until(reached: Callable[[], bool]) -> None:
    for _ in range(400):
        if reached():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


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
