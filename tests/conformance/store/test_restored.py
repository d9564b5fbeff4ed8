"""After a restore every counter is past what can have been given out since, in every store."""

import pytest

from conformance.store.conftest import Pay, Starter
from conformance.store.samples import NOW_MS, payment
from conformance.store.seated import SeatedStore
from netvalve.storage.months import began_at_ms, first_number, month_after, month_of
from netvalve.storage.restored import Counter, resume
from netvalve.storage.sqlite.lock import StoreInUse

HOUR_MS = 3_600_000
MOST_A_S = 38_000
"""More a second for a whole month than it has numbers."""


def by_name(counters: tuple[Counter, ...]) -> dict[str, Counter]:
    return {each.name: each for each in counters}


async def test_what_an_hour_may_have_taken_is_left_out(
    store: SeatedStore, pay: Pay, database_url: str
) -> None:
    await pay(payment())
    await store.lease.end()
    await store.stop()
    moved = by_name(resume(database_url, NOW_MS + HOUR_MS).counters)
    for often in ("order", "transaction", "message", "card"):
        counter = moved.pop(often)
        assert counter.next > counter.restored + 3600 * MOST_A_S, often
    assert {"epoch", "client", "account"} <= moved.keys()
    assert all(counter.next > counter.restored + 1000 for counter in moved.values())


async def test_the_present_month_may_have_begun_since(
    store: SeatedStore, pay: Pay, database_url: str
) -> None:
    """Then its first numbers are taken, though the store has never heard of the month."""
    await pay(payment())
    await store.lease.end()
    await store.stop()
    following = month_after(month_of(NOW_MS))
    now_ms = began_at_ms(following) + HOUR_MS
    moved = by_name(resume(database_url, now_ms).counters)
    for name in ("order", "transaction"):
        assert moved[name].next > first_number(following) + 3600 * MOST_A_S


async def test_the_next_start_takes_its_numbers_from_there(
    store: SeatedStore, start: Starter, database_url: str
) -> None:
    await store.lease.end()
    await store.stop()
    moved = by_name(resume(database_url, NOW_MS).counters)
    again = await start()
    assert await again.identifiers.order_id() == moved["order"].next
    assert await again.identifiers.transaction_id() == moved["transaction"].next


async def test_what_was_under_way_is_counted(store: SeatedStore, database_url: str) -> None:
    assert await store.journal.open(payment().opening) is None
    await store.lease.end()
    await store.stop()
    assert resume(database_url, NOW_MS).pending == 1


async def test_a_store_that_a_gateway_runs_on_is_left_alone(
    store: SeatedStore, database_url: str
) -> None:
    before = await store.identifiers.order_id()
    with pytest.raises(StoreInUse):
        resume(database_url, NOW_MS)
    assert await store.identifiers.order_id() == before + 1
