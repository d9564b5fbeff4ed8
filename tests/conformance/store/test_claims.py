"""Claims: one turn at a time, and never more money than there is."""

import asyncio
from collections import Counter
from dataclasses import replace

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, follow_up, payment, refund_closing
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import OpeningRefusal
from netvalve.domain.lifecycle import Event, State, sources_of
from netvalve.domain.transaction import TransactionType

REFUNDABLE = sources_of(Event.REFUNDED)


async def test_only_one_of_many_claims_gets_the_turn(store: SeatedStore, pay: Pay) -> None:
    sale = await pay(payment())
    refunds = [
        follow_up(sale, TransactionType.REFUND, REFUNDABLE, amount_minor=100) for _ in range(200)
    ]
    answers = await asyncio.gather(*(store.journal.open(each.opening) for each in refunds))
    assert Counter(answers) == {None: 1, OpeningRefusal.IN_FLIGHT: 199}
    assert len(await store.records.transactions_of(CLIENT, sale.order.order_id)) == 2


async def test_concurrent_refunds_take_exactly_what_is_there(store: SeatedStore, pay: Pay) -> None:
    """200 callers, each trying again while another has the turn, share 1200 in parts of 100."""
    sale = await pay(payment())

    async def refund_once() -> bool:
        while True:
            refund = follow_up(sale, TransactionType.REFUND, REFUNDABLE, amount_minor=100)
            match await store.journal.open(refund.opening):
                case None:
                    closing = refund_closing(refund, Event.PARTIALLY_REFUNDED)
                    assert await store.journal.close(closing)
                    return True
                case OpeningRefusal.GUARD:
                    return False

    granted = await asyncio.gather(*(refund_once() for _ in range(200)))
    assert Counter(granted) == {True: 12, False: 188}
    order = await store.records.order(CLIENT, sale.order.order_id)
    assert order is not None
    assert (order.balance.refunded_minor, order.balance.reserved_minor) == (1200, 0)


async def test_a_new_order_is_in_flight_until_it_is_closed(store: SeatedStore) -> None:
    sale = payment()
    await store.journal.open(sale.opening)
    refund = follow_up(sale, TransactionType.REFUND, REFUNDABLE, amount_minor=1)
    assert await store.journal.open(refund.opening) is OpeningRefusal.IN_FLIGHT
    await store.journal.close(sale.closing())
    assert await store.journal.open(refund.opening) is None


async def test_a_capture_above_the_authorised_amount_meets_the_guard(
    store: SeatedStore, pay: Pay
) -> None:
    first = await pay(payment(TransactionType.AUTHORIZATION))
    states = (State.APPROVED,)
    over = follow_up(first, TransactionType.CAPTURE, states, amount_minor=1201)
    assert await store.journal.open(over.opening) is OpeningRefusal.GUARD
    whole = follow_up(first, TransactionType.CAPTURE, states, amount_minor=1200)
    assert await store.journal.open(whole.opening) is None


async def test_a_claim_in_a_wrong_state_meets_the_guard(store: SeatedStore, pay: Pay) -> None:
    sale = await pay(payment())
    cancel = follow_up(sale, TransactionType.CANCEL, (State.CAPTURED,), amount_minor=0)
    assert await store.journal.open(cancel.opening) is OpeningRefusal.GUARD


async def test_another_clients_order_cannot_be_claimed(store: SeatedStore, pay: Pay) -> None:
    sale = await pay(payment(client_id=2))
    refund = follow_up(sale, TransactionType.REFUND, REFUNDABLE, amount_minor=1).opening
    assert refund.claim is not None
    stolen = replace(refund, claim=replace(refund.claim, client_id=CLIENT))
    assert await store.journal.open(stolen) is OpeningRefusal.GUARD
    assert await store.journal.open(refund) is None
