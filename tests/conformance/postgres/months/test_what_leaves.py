"""An archived month: what nobody finds any more, and what stays refused for ever."""

import pytest

from conformance.postgres.months.ledger import (
    EVERYTHING,
    REFUND_FROM,
    Ledger,
    Sold,
    refunded,
    totals,
)
from conformance.store.months import in_month, transaction_in
from conformance.store.samples import CLIENT, follow_up, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import OpeningRefusal
from netvalve.domain.transaction import TransactionType
from netvalve.storage.postgres.archive import Right
from netvalve.storage.postgres.partitions import BY_MONTH
from stores import change


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
