"""An error that nobody has foreseen says nothing of what became of a batch: it is looked up."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from conformance.postgres.line import Line
from conformance.store.samples import Payment, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.postgres import batch_writer

WITHIN_S = 10.0


async def opened_by_each(store: SeatedStore, *payments: Payment) -> list[object]:
    """What each hears of all of them in one batch, or in two."""
    openings = (store.journal.open(each.opening) for each in payments)
    async with asyncio.timeout(WITHIN_S):
        return list(await asyncio.gather(*openings, return_exceptions=True))


async def test_an_unforeseen_error_after_the_commit_is_looked_up(
    store: SeatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = asyncpg.Connection.fetchval

    async def committed_and_broken(
        connection: asyncpg.Connection, text: str, *values: object, **named: object
    ) -> object:
        answer = await ask(connection, text, *values, **named)
        if "UPDATE batches" not in text:
            return answer
        monkeypatch.undo()
        raise BufferError("unforeseen")

    monkeypatch.setattr(asyncpg.Connection, "fetchval", committed_and_broken)
    assert await opened_by_each(store, payment(), payment()) == [None, None]


async def test_who_cannot_connect_for_an_unforeseen_reason_has_written_nothing(
    store: SeatedStore, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above all he hears no verdict of the batch before."""
    one = payment()
    assert await store.journal.open(one.opening) is None

    async def broken(*_given: object, **_named: object) -> asyncpg.Connection:
        raise BufferError("unforeseen")

    with monkeypatch.context() as patch:
        patch.setattr(batch_writer, "connect", broken)
        line.cut()
        await asyncio.sleep(0.1)
        opening = asyncio.create_task(opened_by_each(store, payment(), payment()))
        await asyncio.sleep(0.1)
    for told in await opening:
        assert isinstance(told, StoreUnavailable)


async def test_an_opening_that_no_column_takes_fails_alone(store: SeatedStore) -> None:
    good, impossible = payment(), payment()
    huge = replace(impossible.transaction, amount_minor=2**63)
    openings = good, Payment(replace(impossible.opening, transaction=huge)), payment()
    first, second, third = await opened_by_each(store, *openings)
    assert (first, third) == (None, None)
    assert isinstance(second, Exception)
    assert not isinstance(second, StoreUnavailable)
