"""Months that stay: not over, not at their end, not the oldest, or not given up."""

from collections.abc import Awaitable, Callable

import pytest

from conformance.postgres.months.ledger import EVERYTHING, Ledger, Sold
from conformance.postgres.months.unended import (
    a_hold,
    a_hold_without_an_end,
    a_key,
    a_pending_refund,
    a_pending_sale,
    a_rebill_of_a_declined_sale,
    a_reversal_that_waits,
    a_sale,
)
from conformance.store.seated import SeatedStore
from netvalve.storage.postgres.archive import MonthStays, Right, archive


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
