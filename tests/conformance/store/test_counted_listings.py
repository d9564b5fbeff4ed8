"""Listings by what rows are counted by: each page and total is what sorting every row gives."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from sqlalchemy import Table

from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.lifecycle import State, meanings_of_status, order_statuses
from netvalve.domain.order import Balance, Order
from netvalve.domain.search import PageRequest, Search, SearchTooBroad
from netvalve.domain.transaction import OPENERS, Transaction, TransactionType
from netvalve.storage import spans
from netvalve.storage.engine import is_sqlite
from netvalve.storage.mapping import order_row, transaction_row
from netvalve.storage.months import first_number, month_of
from netvalve.storage.schema import orders, transactions
from netvalve.storage.sqlite import records
from netvalve.storage.verification.verification import verify
from stores import change, changing, rows_of

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ACCOUNTS = ((1, "USD"), (2, "USD"), (2, "EUR"), (3, "JPY"))
CHARGED = {State.CAPTURED, State.PARTIALLY_SETTLED, State.PARTIALLY_REFUNDED, State.REFUNDED}
HELD = {State.PENDING, State.APPROVED, State.DECLINED, State.REVERSING, State.CANCELLED}


@dataclass(frozen=True)
class Rows:
    """What lies in a store."""

    orders: Sequence[Order]
    transactions: Sequence[tuple[Transaction, Order]]


def states_of(kind: TransactionType) -> list[State]:
    """Those that an order of this type may be in."""
    if kind is TransactionType.AUTHORIZATION:
        return [*sorted(HELD), *sorted(CHARGED)]
    return sorted(CHARGED - {State.CAPTURED, State.PARTIALLY_SETTLED} | HELD - {State.CANCELLED})


def times(dice: random.Random) -> int:
    """Mostly of the last hours, some of the last days and months, some at the full hour."""
    back_ms = dice.choice((HOUR_MS * 3, DAY_MS * 3, DAY_MS * 80))
    at_ms = NOW_MS - dice.randrange(back_ms)
    return at_ms // HOUR_MS * HOUR_MS if dice.random() < 0.2 else at_ms


def made(dice: random.Random, number: int) -> Rows:
    """Orders with one to three transactions each; some of another client."""
    made_orders, made_transactions = [], []
    for n in range(number):
        kind, (mid_id, currency) = dice.choice(sorted(OPENERS)), dice.choice(ACCOUNTS)
        sample = payment(
            kind,
            client_id=CLIENT if dice.random() < 0.9 else 2,
            mid_id=mid_id,
            currency=currency,
            at_ms=times(dice),
            number=f"40120010{n:08d}",
        )
        state = dice.choice(states_of(kind))
        charged = state in CHARGED or (
            kind is not TransactionType.AUTHORIZATION and state is State.APPROVED
        )
        base = dice.choice((0, first_number(month_of(sample.order.created_at_ms))))
        order = replace(
            sample.order,
            order_id=base + 10 * n + 1_000_000,
            state=state,
            balance=Balance(captured_minor=1200 if charged else 0),
        )
        made_orders.append(order)
        for step in range(dice.choice((1, 1, 2, 3))):
            own = replace(
                sample.transaction,
                transaction_id=order.order_id + step,
                order_id=order.order_id,
                type=kind if step == 0 else dice.choice(sorted(set(TransactionType) - OPENERS)),
                state=state if step == 0 else dice.choice((State.APPROVED, State.DECLINED)),
                opened_at_ms=order.created_at_ms + step * dice.randrange(DAY_MS),
            )
            made_transactions.append((own, order))
    return Rows(made_orders, made_transactions)


def write(database_url: str, rows: Rows) -> None:
    """As any program might, in plain inserts."""
    written_orders = [
        named(orders, order_row(each, card_id=1, in_flight_id=None)) for each in rows.orders
    ]
    written = [
        named(transactions, transaction_row(each, mti="0200", node="n", owner_epoch=1))
        for each, _ in rows.transactions
    ]
    with changing(database_url) as connection:
        if written_orders:
            connection.execute(orders.insert(), written_orders)
        if written:
            connection.execute(transactions.insert(), written)


def named(table: Table, row: Sequence[object]) -> dict[str, object]:
    return dict(zip(table.c.keys(), row, strict=True))


def searches(dice: random.Random, listing: str, number: int) -> Iterator[Search]:
    """Of every combination some."""
    for _ in range(number):
        given: dict[str, Any] = {}
        if dice.random() < 0.5:
            given["from_ms"] = times(dice)
        if dice.random() < 0.5:
            given["to_ms"] = times(dice) - dice.choice((0, 1))
        if dice.random() < 0.4:
            given["mid_id"] = dice.choice((1, 2, 3, 99))
        if dice.random() < 0.4:
            given["currency"] = dice.choice(("USD", "EUR", "JPY", "XXX"))
        if dice.random() < 0.4:
            kinds = sorted(OPENERS if listing == "orders" else set(TransactionType))
            given["transaction_types"] = tuple(dice.sample(kinds, dice.choice((1, 2))))
        if dice.random() < 0.4:
            status = dice.choice((*order_statuses(), "nonsense"))
            given["order_status" if listing == "orders" else "transaction_status"] = status
        if dice.random() < 0.2:
            given["only_settled"] = True
        yield Search(CLIENT, **given)


def matches(row: Order | Transaction, at_ms: int, search: Search, *, settled: bool) -> bool:
    """What the filters mean, said once more."""
    is_order = isinstance(row, Order)
    status = search.order_status if is_order else search.transaction_status
    return (
        row.client_id == search.client_id
        and (search.from_ms is None or at_ms >= search.from_ms)
        and (search.to_ms is None or at_ms <= search.to_ms)
        and search.mid_id in (None, row.mid_id)
        and search.currency in (None, row.currency)
        and (not search.transaction_types or row.type in search.transaction_types)
        and (settled or not search.only_settled)
        and (
            status is None
            or any(
                kind in (None, row.type) and state == row.state
                for kind, state in meanings_of_status(status)
            )
        )
    )


def expected_orders(rows: Rows, search: Search) -> list[int]:
    found = [
        (each.created_at_ms, each.order_id)
        for each in rows.orders
        if matches(each, each.created_at_ms, search, settled=each.balance.captured_minor > 0)
    ]
    return [number for _, number in sorted(found, reverse=True)]


def expected_transactions(rows: Rows, search: Search) -> list[int]:
    charges = {TransactionType.SALE, TransactionType.REBILL, TransactionType.CAPTURE}
    holds = {State.APPROVED, State.CANCELLED} | CHARGED
    found = [
        (each.opened_at_ms, each.transaction_id)
        for each, _ in rows.transactions
        if matches(
            each,
            each.opened_at_ms,
            search,
            settled=each.type in charges and each.state in holds,
        )
    ]
    return [number for _, number in sorted(found, reverse=True)]


async def differing(store: SeatedStore, rows: Rows, dice: random.Random, number: int) -> list[str]:
    """Pages and totals that are not what they should be."""
    wrong = []
    for search in searches(dice, "orders", number):
        page = PageRequest(dice.randrange(6), dice.choice((1, 7, 40)))
        read = await store.records.orders(search, page)
        expected = expected_orders(rows, search)
        found = [each.order_id for each in read.rows]
        if (found, read.total) != (slice_of(expected, page), len(expected)):
            wrong.append(f"orders {told(search)} {page}: {read.total} of {len(expected)}")
    for search in searches(dice, "transactions", number):
        page = PageRequest(dice.randrange(6), dice.choice((1, 7, 40)))
        listed = await store.records.transactions(search, page)
        expected = expected_transactions(rows, search)
        found = [each.transaction_id for each, _ in listed.rows]
        if (found, listed.total) != (slice_of(expected, page), len(expected)):
            wrong.append(f"transactions {told(search)} {page}: {listed.total} of {len(expected)}")
    return wrong


def slice_of(expected: list[int], page: PageRequest) -> list[int]:
    return expected[page.number * page.size :][: page.size]


def told(search: Search) -> dict[str, object]:
    return {
        each.name: getattr(search, each.name)
        for each in fields(search)
        if getattr(search, each.name)
    }


@pytest.mark.parametrize("close", [3, 2_000], ids=["by the hour", "by the block"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_page_is_a_slice_of_all_rows_sorted_and_its_total_is_exact(
    store: SeatedStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    close: int,
) -> None:
    monkeypatch.setattr(spans, "CLOSE", close)
    dice = random.Random(seed)  # noqa: S311  # the same rows every time
    rows = made(dice, 400)
    write(database_url, rows)
    assert await differing(store, rows, dice, 60) == []


async def test_totals_follow_plain_updates_and_deletions(
    store: SeatedStore, database_url: str
) -> None:
    """Whatever program changes a row: the database itself counts."""
    dice = random.Random(3)  # noqa: S311  # the same rows every time
    rows = made(dice, 60)
    write(database_url, rows)
    change(database_url, "UPDATE orders SET state = 'REFUNDED', mid_id = 3 WHERE mid_id = 1")
    change(database_url, "UPDATE transactions SET state = 'FAILED' WHERE type = 'CAPTURE'")
    change(
        database_url,
        "UPDATE transactions SET opened_at_ms = opened_at_ms + :day_ms WHERE type = 'REFUND'",
        day_ms=DAY_MS,
    )
    change(database_url, "DELETE FROM transactions WHERE type = 'CANCEL'")
    moved = replace_all(rows)
    assert await differing(store, moved, dice, 40) == []


def replace_all(rows: Rows) -> Rows:
    """The same changes, to the rows as they were."""
    moved_orders = [
        replace(
            each,
            state=State.REFUNDED,
            mid_id=3,
            balance=Balance(captured_minor=1200),
        )
        if each.mid_id == 1
        else each
        for each in rows.orders
    ]
    moved = []
    for each, order in rows.transactions:
        match each.type:
            case TransactionType.CAPTURE:
                moved.append((replace(each, state=State.FAILED), order))
            case TransactionType.REFUND:
                moved.append((replace(each, opened_at_ms=each.opened_at_ms + DAY_MS), order))
            case TransactionType.CANCEL:
                pass
            case _:
                moved.append((each, order))
    return Rows(moved_orders, moved)


async def test_changes_are_folded_into_the_tallies_and_nothing_is_lost(
    store: SeatedStore, database_url: str
) -> None:
    dice = random.Random(4)  # noqa: S311  # the same rows every time
    rows = made(dice, 700)
    write(database_url, rows)
    async with asyncio.timeout(20):
        while rows_of(database_url, "SELECT 1 FROM tallies") == []:  # noqa: ASYNC110  # another's
            await asyncio.sleep(0.05)
    waiting = rows_of(database_url, "SELECT rows FROM tally_changes")
    assert len(waiting) < len(rows.orders)
    assert await differing(store, rows, dice, 20) == []
    broken = [each for each in verify(database_url, first=9).breaches if "tallies" in each.rule]
    assert broken == []


async def test_a_search_that_takes_too_long_is_refused(
    store: SeatedStore, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one is answered."""
    write(database_url, made(random.Random(8), 50))  # noqa: S311  # the same rows every time
    slow = Search(CLIENT, country="SE")
    with monkeypatch.context() as patched, held_up(database_url):
        patched.setattr(store.records, "_listing_max_s", 0.05)
        patched.setattr(records, "_OPERATIONS_A_LOOK", 1)
        if is_sqlite(database_url):
            patched.setattr(store.records, "_listing_max_s", -1)
        for read in (store.records.orders, store.records.transactions):
            with pytest.raises(SearchTooBroad):
                await read(slow, PageRequest(0, 20))
    assert (await store.records.orders(slow, PageRequest(0, 20))).total == 0


@contextmanager
def held_up(database_url: str) -> Iterator[None]:
    """A server whose tables cannot be read now."""
    if is_sqlite(database_url):
        yield
        return
    with changing(database_url) as connection:
        connection.exec_driver_sql("LOCK TABLE orders, transactions")
        yield
