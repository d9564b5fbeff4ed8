"""Pages and exports: newest first, exact totals, one moment of the store."""

import asyncio
from collections.abc import AsyncGenerator
from types import ModuleType

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, NOW_MS, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.columns import TransactionColumns
from netvalve.domain.journal import StoreUnavailable
from netvalve.domain.search import PageRequest, Search

EVERYTHING = Search(CLIENT)
EXPORT_MAX_S = 0.2


def export(store: SeatedStore) -> AsyncGenerator[TransactionColumns, None]:
    """Everything, as it is stored."""
    return store.records.export(EVERYTHING, lambda columns: columns)


async def _pay(pay: Pay, number: int) -> list[int]:
    """Payments of which two share each millisecond; their orders' numbers, newest first."""
    paid = await asyncio.gather(
        *(pay(payment(at_ms=NOW_MS + index // 2)) for index in range(number))
    )
    newest = sorted(paid, key=lambda each: (each.order.created_at_ms, each.order.order_id))
    return [each.order.order_id for each in reversed(newest)]


async def test_pages_are_slices_of_the_newest_first_list(store: SeatedStore, pay: Pay) -> None:
    newest_first = await _pay(pay, 25)
    for number, size, expected in (
        (0, 10, newest_first[:10]),
        (2, 10, newest_first[20:]),
        (3, 10, []),
    ):
        page = await store.records.orders(EVERYTHING, PageRequest(number, size))
        assert [each.order_id for each in page.rows] == expected
        assert page.total == 25
        listed = await store.records.transactions(EVERYTHING, PageRequest(number, size))
        assert [order.order_id for _, order in listed.rows] == expected
        assert listed.total == 25


async def test_an_export_is_one_moment_in_batches(
    store: SeatedStore, pay: Pay, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 10)
    newest_first = await _pay(pay, 25)
    sizes, exported = [], []
    async for batch in export(store):
        await _pay(pay, 3)
        sizes.append(len(batch.order_id))
        exported += batch.order_id
    assert exported == newest_first
    assert sizes == [10, 10, 5]


async def test_an_export_that_is_left_early_gives_its_place_back(
    store: SeatedStore, pay: Pay, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two may run at once here: four that stop at their first batch leave room for one more."""
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    await _pay(pay, 3)
    for _ in range(4):
        left = export(store)
        async for _batch in left:
            break
        await left.aclose()
    assert len([batch async for batch in export(store)]) == 3


async def test_an_export_waits_while_as_many_as_may_are_running(
    store: SeatedStore, pay: Pay, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    await _pay(pay, 3)
    running = [export(store) for _ in range(3)]
    await asyncio.gather(*(anext(each) for each in running[:2]))
    third = asyncio.ensure_future(anext(running[2]))
    await asyncio.sleep(0.02)
    assert not third.done()
    await running[0].aclose()
    assert len((await asyncio.wait_for(third, 5)).order_id) == 1
    for each in running:
        await each.aclose()


async def test_an_export_that_waits_too_long_for_its_turn_is_refused(
    store: SeatedStore, pay: Pay, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "TURN_S", 0.02)
    await _pay(pay, 1)
    running = [export(store) for _ in range(2)]
    await asyncio.gather(*map(anext, running))
    with pytest.raises(StoreUnavailable, match="exports"):
        await anext(export(store))
    for each in running:
        await each.aclose()


async def test_an_export_nobody_reads_from_loses_its_place_in_the_end(
    store: SeatedStore, pay: Pay, exports: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "BATCH_ROWS", 1)
    monkeypatch.setattr(store.records._exports, "_export_max_s", EXPORT_MAX_S)
    await _pay(pay, 3)
    stalled = [export(store) for _ in range(2)]
    await asyncio.gather(*map(anext, stalled))
    stalled.append(export(store))
    assert len((await asyncio.wait_for(anext(stalled[2]), 2)).order_id) == 1
    await asyncio.sleep(2 * EXPORT_MAX_S)
    for each in stalled:
        with pytest.raises(StoreUnavailable, match="longer"):
            await anext(each)
