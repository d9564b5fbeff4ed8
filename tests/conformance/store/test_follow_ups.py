"""Listings by what has followed on an order, and by whose it is: what looking at all rows gives."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from conformance.store.samples import CLIENT, NOW_MS, follow_up, payment, refund_closing
from conformance.store.seated import SeatedStore
from conformance.store.test_counted_listings import (
    Rows,
    made,
    slice_of,
    times,
    told,
    write,
)
from netvalve.domain.lifecycle import (
    Event,
    State,
    meanings_of_status,
    order_statuses,
    sources_of,
)
from netvalve.domain.order import Balance, Customer, Details, Order
from netvalve.domain.search import PageRequest, Search
from netvalve.domain.transaction import Transaction, TransactionType
from netvalve.storage import spans
from netvalve.storage.groups import orders_counted
from netvalve.storage.payers import of_known_payer
from netvalve.storage.search import shape_of
from netvalve.storage.verification.follow_up_rules import FOLLOW_UP_RULES
from netvalve.storage.verification.verification import verify
from stores import change

NAMES = ("ann", "bob", "cid")
AMOUNTS_MINOR = (12, 1200, 1250, 5000)
"""Twelve yen, twelve dollars, and others."""
SITES = ("0ff00000-0000-4000-8000-00000000000a", "0ff00000-0000-4000-8000-00000000000b")
RULES = {each.rule for each in FOLLOW_UP_RULES}


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # the same rows every time


def people(seed: int, number: int) -> Rows:
    """As in the other listings, of a few people; an opening is of its order's moment."""
    dice = seeded(seed)
    rows = made(dice, number)
    orders = {each.order_id: of_somebody(each, dice) for each in rows.orders}
    transactions = []
    for each, _ in rows.transactions:
        order = orders[each.order_id]
        opens = each.transaction_id == order.opening_id
        amount_minor = order.amount_minor if opens else dice.choice(AMOUNTS_MINOR)
        transactions.append((replace(each, amount_minor=amount_minor), order))
    return Rows([*orders.values()], transactions)


def of_somebody(order: Order, dice: random.Random) -> Order:
    name = dice.choice(NAMES)
    customer = Customer(
        first_name=dice.choice((name.title(), None)),
        last_name=dice.choice(NAMES),
        email=f"{name}@Example.com",
        country=dice.choice(("SE", "DE", None)),
    )
    card = replace(order.card, last_four=dice.choice(("0001", "0002")))
    return replace(
        order,
        opening_id=order.order_id,
        amount_minor=dice.choice(AMOUNTS_MINOR),
        site_id=dice.choice((*SITES, None)),
        card=card,
        details=Details(customer=customer),
    )


def searches_of_orders(dice: random.Random, number: int) -> Iterator[Search]:
    for _ in range(number):
        given = six_dimensions(dice)
        kinds = dice.sample(sorted(TransactionType), dice.choice((1, 1, 2, 3)))
        if dice.random() < 0.7:
            given["transaction_types"] = tuple(kinds)
        if dice.random() < 0.6 or "transaction_types" not in given:
            given["transaction_status"] = dice.choice((*order_statuses(), "nonsense"))
        if dice.random() < 0.3:
            given["order_status"] = dice.choice(order_statuses())
        if dice.random() < 0.2:
            given["only_settled"] = True
        yield Search(CLIENT, **given)


def six_dimensions(dice: random.Random) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if dice.random() < 0.4:
        given["from_ms"] = times(dice)
    if dice.random() < 0.4:
        given["to_ms"] = times(dice)
    if dice.random() < 0.3:
        given["mid_id"] = dice.choice((1, 2, 3, 99))
    if dice.random() < 0.3:
        given["currency"] = dice.choice(("USD", "EUR", "JPY"))
    return given


def searches_of_payers(dice: random.Random, number: int) -> Iterator[Search]:
    for _ in range(number):
        given = six_dimensions(dice)
        about: dict[str, Any] = {
            "first_name": dice.choice(NAMES).upper(),
            "last_name": dice.choice(NAMES),
            "email": f"{dice.choice(NAMES)}@example.com",
            "last_four": dice.choice(("0001", "0002", "0003")),
            "first_six": "401200",
            "bin": "4012",
            "country": "SE",
            "site_id": dice.choice(SITES),
            "sites": SITES[: dice.choice((1, 2))],
        }
        for name in dice.sample(sorted(about), dice.choice((1, 1, 2))):
            given[name] = about[name]
        if dice.random() < 0.3:
            given["transaction_types"] = tuple(dice.sample(sorted(TransactionType), 3))
        if dice.random() < 0.2:
            given["amount_min"] = "12.00"
        if dice.random() < 0.2:
            given["amount_max"] = "12.50"
        yield Search(CLIENT, **given)
        yield Search(CLIENT, **six_dimensions(dice), amount_min="12", amount_max="12.10")


def in_six(row: Order | Transaction, at_ms: int, search: Search) -> bool:
    return (
        row.client_id == search.client_id
        and (search.from_ms is None or at_ms >= search.from_ms)
        and (search.to_ms is None or at_ms <= search.to_ms)
        and search.mid_id in (None, row.mid_id)
        and search.currency in (None, row.currency)
    )


def shows(kind: TransactionType, state: State, status: str | None) -> bool:
    return status is None or any(
        of in (None, kind) and each is state for of, each in meanings_of_status(status)
    )


def expected_orders(rows: Rows, search: Search) -> list[int]:
    """Some one transaction of the order is of the types and the status."""
    having = {
        each.order_id
        for each, _ in rows.transactions
        if (not search.transaction_types or each.type in search.transaction_types)
        and shows(each.type, each.state, search.transaction_status)
    }
    found = [
        (each.created_at_ms, each.order_id)
        for each in rows.orders
        if each.order_id in having
        and in_six(each, each.created_at_ms, search)
        and shows(each.type, each.state, search.order_status)
        and (each.balance.captured_minor > 0 or not search.only_settled)
    ]
    return [number for _, number in sorted(found, reverse=True)]


def expected_transactions(rows: Rows, search: Search) -> list[int]:
    found = [
        (each.opened_at_ms, each.transaction_id)
        for each, order in rows.transactions
        if in_six(each, each.opened_at_ms, search)
        and (not search.transaction_types or each.type in search.transaction_types)
        and is_between(each, search)
        and is_of(order, search)
    ]
    return [number for _, number in sorted(found, reverse=True)]


def is_between(each: Transaction, search: Search) -> bool:
    amount = each.amount_minor / (1 if each.currency == "JPY" else 100)
    return float(search.amount_min or 0) <= amount <= float(search.amount_max or 9999)


def is_of(order: Order, search: Search) -> bool:
    customer = order.details.customer
    names = (customer.first_name or "").lower(), (customer.last_name or "").lower()
    return (search.first_name is None or names[0] == search.first_name.lower()) and (
        search.last_name in (None, names[1])
        and search.email in (None, (customer.email or "").lower())
        and search.last_four in (None, order.card.last_four)
        and search.country in (None, customer.country)
        and search.site_id in (None, order.site_id)
        and (not search.sites or order.site_id in search.sites)
    )


async def differing(store: SeatedStore, rows: Rows, dice: random.Random, number: int) -> list[str]:
    """Pages and totals that are not what they should be."""
    wrong = []
    for search in searches_of_orders(dice, number):
        page = PageRequest(dice.randrange(4), dice.choice((1, 7, 40)))
        read = await store.records.orders(search, page)
        expected = expected_orders(rows, search)
        if ([each.order_id for each in read.rows], read.total) != (
            slice_of(expected, page),
            len(expected),
        ):
            wrong.append(f"orders {told(search)} {page}: {read.total} of {len(expected)}")
    for search in searches_of_payers(dice, number):
        page = PageRequest(dice.randrange(4), dice.choice((1, 7, 40)))
        listed = await store.records.transactions(search, page)
        expected = expected_transactions(rows, search)
        if ([each.transaction_id for each, _ in listed.rows], listed.total) != (
            slice_of(expected, page),
            len(expected),
        ):
            wrong.append(f"transactions {told(search)} {page}: {listed.total} of {len(expected)}")
    return wrong


def misfollowed(database_url: str) -> list[str]:
    breaches = verify(database_url, first=3).breaches
    about = [each for each in breaches if each.rule in RULES or "tallies" in each.rule]
    return [f"{each.rule}: {each.found} of {each.expected}" for each in about]


@pytest.mark.parametrize("close", [3, 2_000], ids=["by the hour", "by the block"])
async def test_a_page_is_a_slice_of_all_rows_sorted_and_its_total_is_exact(
    store: SeatedStore, database_url: str, monkeypatch: pytest.MonkeyPatch, close: int
) -> None:
    monkeypatch.setattr(spans, "CLOSE", close)
    rows = people(11, 400)
    write(database_url, rows)
    assert await differing(store, rows, seeded(12), 70) == []
    assert misfollowed(database_url) == []


async def test_listings_follow_plain_updates_and_deletions(
    store: SeatedStore, database_url: str
) -> None:
    """Whatever program changes a row."""
    rows = people(13, 120)
    write(database_url, rows)
    change(database_url, "UPDATE transactions SET state = 'FAILED' WHERE type = 'CAPTURE'")
    change(
        database_url, "UPDATE orders SET state = 'REFUNDED', captured_minor = 1200 WHERE mid_id = 1"
    )
    change(database_url, "DELETE FROM transactions WHERE type = 'CANCEL'")
    moved = []
    for each, order in rows.transactions:
        if each.type is TransactionType.CAPTURE:
            moved.append((replace(each, state=State.FAILED), order))
        elif each.type is not TransactionType.CANCEL:
            moved.append((each, order))
    orders = [
        replace(each, state=State.REFUNDED, balance=Balance(captured_minor=1200))
        if each.mid_id == 1
        else each
        for each in rows.orders
    ]
    assert await differing(store, Rows(orders, moved), seeded(14), 60) == []
    assert misfollowed(database_url) == []


async def test_the_journal_is_followed(store: SeatedStore, database_url: str) -> None:
    """A refund is seen from its opening on, and again when it is closed."""
    sale = payment(details=Details(customer=Customer("Ann")), at_ms=NOW_MS)
    assert await store.journal.open(sale.opening) is None
    assert await store.journal.close(sale.closing())
    refund = follow_up(
        sale, TransactionType.REFUND, sources_of(Event.PARTIALLY_REFUNDED), amount_minor=200
    )
    refunds = Search(CLIENT, transaction_types=(TransactionType.REFUND,))
    of_ann = Search(CLIENT, first_name="ann")
    assert (await store.records.orders(refunds, PageRequest(0, 5))).total == 0
    assert await store.journal.open(refund.opening) is None
    pending = replace(refunds, transaction_status="Pending")
    assert (await store.records.orders(pending, PageRequest(0, 5))).total == 1
    assert (await store.records.transactions(of_ann, PageRequest(0, 5))).total == 2
    assert await store.journal.close(refund_closing(refund, Event.PARTIALLY_REFUNDED))
    assert (await store.records.orders(pending, PageRequest(0, 5))).total == 0
    assert (await store.records.orders(refunds, PageRequest(0, 5))).total == 1
    assert misfollowed(database_url) == []


def test_what_the_tests_ask_is_counted() -> None:
    """Else they would say nothing of the tallies."""
    orders = [shape_of(each) for each in searches_of_orders(seeded(12), 70)]
    assert sum(1 for each in orders if orders_counted(each)) > 40
    payers = [shape_of(each) for each in searches_of_payers(seeded(12), 70)]
    assert all(map(of_known_payer, payers))
