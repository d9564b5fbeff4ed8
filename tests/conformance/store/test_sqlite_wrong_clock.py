"""A clock that once stood a year ahead left its numbers behind; what comes later is listed."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.store.months import MovedClock
from conformance.store.samples import CLIENT, Payment, payment
from conformance.store.seated import started
from netvalve.domain.search import PageRequest, Search
from netvalve.storage.migrate import migrate
from netvalve.storage.months import began_at_ms, month_of

NOW_MS = began_at_ms(2611) + 60_000
YEAR_MS = 366 * 86_400_000


def with_numbers(one: Payment, order_id: int, transaction_id: int) -> Payment:
    assert one.opening.new_order is not None
    numbers = {"order_id": order_id, "transaction_id": transaction_id}
    order = replace(
        one.opening.new_order.order,
        order_id=order_id,
        opening_id=transaction_id,
        in_flight_id=transaction_id,
        created_at_ms=NOW_MS,
        updated_at_ms=NOW_MS,
    )
    transaction = replace(one.transaction, opened_at_ms=NOW_MS, **numbers)
    new_order = replace(one.opening.new_order, order=order)
    return Payment(replace(one.opening, transaction=transaction, new_order=new_order))


@pytest.mark.parametrize(
    "search", [Search(CLIENT), Search(CLIENT, from_ms=NOW_MS - 1000, to_ms=NOW_MS + 1000)]
)
async def test_a_payment_is_listed_by_its_time_whatever_its_number(
    tmp_path: Path, search: Search
) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    migrate(url)
    ahead = await started(url, MovedClock(NOW_MS + YEAR_MS))
    await ahead.identifiers.order_id()
    await ahead.stop()
    store = await started(url, MovedClock(NOW_MS))
    try:
        order_id = await store.identifiers.order_id()
        assert month_of(NOW_MS) < order_id // 10**11
        one = with_numbers(payment(), order_id, await store.identifiers.transaction_id())
        assert await store.journal.open(one.opening) is None
        assert await store.journal.close(one.closing())
        orders = await store.records.orders(search, PageRequest(0, 10))
        transactions = await store.records.transactions(search, PageRequest(0, 10))
    finally:
        await store.stop()
    assert (orders.total, len(orders.rows)) == (1, 1)
    assert (transactions.total, len(transactions.rows)) == (1, 1)
