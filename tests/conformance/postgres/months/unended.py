"""What keeps a month where it is: each begins something in it, or leaves something to ask for."""

from dataclasses import replace

from conformance.postgres.months.ledger import REFUND_FROM
from conformance.store.months import in_month, transaction_in
from conformance.store.samples import NOW_MS, Payment, follow_up, keyed, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import BalanceChange, Forward, ForwardKind
from netvalve.domain.lifecycle import Event
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.storage.months import month_after


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
