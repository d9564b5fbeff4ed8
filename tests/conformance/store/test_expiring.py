"""Holds that are over: found by their time while nothing is in flight, put off, shown why."""

from dataclasses import replace

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import NOW_MS, Payment, follow_up, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.client import MerchantAccount
from netvalve.domain.journal import NewOrder
from netvalve.domain.lifecycle import Event, State, sources_of
from netvalve.domain.transaction import Outcome, TransactionType
from netvalve.storage.administration import Administration

ALL = 100
BANK, OTHER_BANK = 1, 2
ACCOUNT, OTHER_ACCOUNT, THIRD_ACCOUNT = 1, 2, 3
NEW_ACCOUNT = MerchantAccount(
    mid_id=0,
    netvalve_mid_id="",
    client_id=1,
    bank_id=BANK,
    name="Shop USD",
    currency="USD",
    bank_merchant_id="000000000000001",
    descriptor="SHOP",
    mcc="5999",
    country="US",
)


@pytest.fixture(autouse=True)
def accounts(administration: Administration) -> None:
    """Two at one bank, one at another."""
    client = administration.add_client("Shop")
    for name in ("Mock Bank", "Other Bank"):
        administration.add_bank(name, host="127.0.0.1", port=8583, unreachable_code="GTW_2052")
    for bank_id in (BANK, OTHER_BANK, BANK):
        administration.add_account(
            replace(NEW_ACCOUNT, client_id=client.client_id, bank_id=bank_id)
        )


def held_until(expires_at_ms: int | None, mid_id: int = ACCOUNT) -> Payment:
    """An authorization whose hold ends then."""
    one = payment(TransactionType.AUTHORIZATION, mid_id=mid_id)
    new = one.opening.new_order
    assert new is not None
    order = replace(new.order, expires_at_ms=expires_at_ms)
    return Payment(replace(one.opening, new_order=NewOrder(order, new.sealed_card)))


def capture_of(hold: Payment) -> Payment:
    states = sources_of(Event.CAPTURED)
    return follow_up(hold, TransactionType.CAPTURE, states, amount_minor=1200)


async def due(
    store: SeatedStore, now_ms: int = NOW_MS, *, bank_id: int = BANK, limit: int = ALL
) -> list[int]:
    return [order.order_id for order in await store.expiring.due(bank_id, now_ms, limit)]


async def test_a_hold_is_due_from_its_end_on(store: SeatedStore, pay: Pay) -> None:
    hold = await pay(held_until(NOW_MS))
    assert await due(store, NOW_MS - 1) == []
    (order,) = await store.expiring.due(BANK, NOW_MS, ALL)
    assert (order.order_id, order.expires_at_ms) == (hold.order.order_id, NOW_MS)


async def test_what_has_no_end_is_never_due(store: SeatedStore, pay: Pay) -> None:
    await pay(held_until(None))
    await pay(payment(TransactionType.SALE))
    assert await due(store, NOW_MS * 2) == []


async def test_the_longest_overdue_come_first_and_no_more_than_asked(
    store: SeatedStore, pay: Pay
) -> None:
    holds = [await pay(held_until(NOW_MS - age)) for age in (1, 3, 2)]
    oldest = [holds[1].order.order_id, holds[2].order.order_id]
    assert await due(store, limit=2) == oldest


async def test_each_bank_has_its_own_over_all_its_accounts(store: SeatedStore, pay: Pay) -> None:
    first = await pay(held_until(NOW_MS - 1, THIRD_ACCOUNT))
    second = await pay(held_until(NOW_MS, ACCOUNT))
    other = await pay(held_until(NOW_MS, OTHER_ACCOUNT))
    assert await due(store) == [first.order.order_id, second.order.order_id]
    assert await due(store, bank_id=OTHER_BANK) == [other.order.order_id]


async def test_an_authorization_that_was_not_approved_is_not_due(store: SeatedStore) -> None:
    hold = held_until(NOW_MS)
    await store.journal.open(hold.opening)
    assert await due(store) == []
    declined = hold.closing(Event.DECLINED, outcome=Outcome("BNK_2005", "05"))
    assert await store.journal.close(declined)
    assert await due(store) == []


async def test_a_capture_in_flight_defers_the_end_until_it_is_refused(
    store: SeatedStore, pay: Pay
) -> None:
    hold = await pay(held_until(NOW_MS))
    capture = capture_of(hold)
    assert await store.journal.open(capture.opening) is None
    assert await due(store) == []
    refused = capture.closing(
        Event.DECLINED, outcome=Outcome("BNK_2003", "12"), order_event=None, charge_id=None
    )
    assert await store.journal.close(replace(refused, balance=type(refused.balance)()))
    assert await due(store) == [hold.order.order_id]


async def test_what_is_put_off_is_due_later(store: SeatedStore, pay: Pay) -> None:
    hold = await pay(held_until(NOW_MS))
    await store.expiring.put_off(hold.order.order_id, NOW_MS + 60_000)
    assert await due(store, NOW_MS + 59_999) == []
    assert await due(store, NOW_MS + 60_000) == [hold.order.order_id]


async def test_what_has_ended_meanwhile_is_not_put_off(store: SeatedStore) -> None:
    hold = held_until(NOW_MS)
    await store.journal.open(hold.opening)
    await store.expiring.put_off(hold.order.order_id, NOW_MS + 1)
    found = await store.records.order(hold.order.client_id, hold.order.order_id)
    assert found is not None
    assert (found.state, found.expires_at_ms) == (State.PENDING, NOW_MS)


async def test_why_the_gateway_opened_something_is_in_its_history(
    store: SeatedStore, pay: Pay
) -> None:
    hold = await pay(held_until(NOW_MS))
    cancel = follow_up(hold, TransactionType.CANCEL, sources_of(Event.CANCELLED), amount_minor=1200)
    opening = replace(cancel.opening, detail="the hold time is over")
    assert await store.journal.open(opening) is None
    (opened,) = await store.records.history(cancel.transaction.transaction_id)
    assert (opened.event, opened.detail) == (Event.OPENED, "the hold time is over")
