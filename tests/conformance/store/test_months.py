"""Numbers begin with their month, and go over to the next one at its turn, in every store."""

import pytest

from conformance.store.conftest import Starter
from conformance.store.months import MovedClock
from conformance.store.samples import NOW_MS
from netvalve.storage.months import began_at_ms, month_after, month_of, month_of_number

_PRESENT = month_of(NOW_MS)
_NEXT = month_after(_PRESENT)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(NOW_MS)


async def test_numbers_go_over_to_the_next_month_at_its_turn(
    start: Starter, clock: MovedClock
) -> None:
    identifiers = (await start()).identifiers
    clock.set(began_at_ms(_NEXT) - 1)
    before = [await identifiers.order_id(), await identifiers.transaction_id()]
    clock.set(began_at_ms(_NEXT))
    after = [await identifiers.order_id(), await identifiers.transaction_id()]
    assert [*map(month_of_number, before)] == [_PRESENT, _PRESENT]
    assert [*map(month_of_number, after)] == [_NEXT, _NEXT]


async def test_cards_and_messages_know_no_months(start: Starter, clock: MovedClock) -> None:
    identifiers = (await start()).identifiers
    first = await identifiers.card_id()
    clock.set(began_at_ms(_NEXT))
    assert await identifiers.card_id() == first + 1
