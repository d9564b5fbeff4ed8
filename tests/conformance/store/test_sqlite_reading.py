"""Reads of the embedded store: a failure is told, passes, and holds up nobody else's."""

import asyncio
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance.store.conftest import Pay
from conformance.store.samples import CLIENT, payment
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.domain.search import PageRequest, Search
from netvalve.storage.administration import Administration
from netvalve.storage.engine import sqlite_path
from netvalve.storage.sqlite.writer import Writer

EVERYTHING = Search(CLIENT)
PAGE = PageRequest(0, 10)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@contextmanager
def _no_file_can_be_opened() -> Iterator[None]:
    """As when connections have used up the process's descriptors."""
    lowest = os.dup(0)
    os.close(lowest)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_listings_come_back_once_files_can_be_opened_again(
    store: SeatedStore, pay: Pay
) -> None:
    await pay(payment())
    with _no_file_can_be_opened():
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                await store.records.orders(EVERYTHING, PAGE)
    for _ in range(4):
        assert (await store.records.orders(EVERYTHING, PAGE)).total == 1


async def test_a_look_up_after_a_broken_connection_opens_a_new_one(
    store: SeatedStore, pay: Pay
) -> None:
    one = await pay(payment())
    reader = store.records._reader
    await store.records.order(CLIENT, one.order.order_id)
    assert reader._connection is not None
    reader._connection.close()
    with pytest.raises(StoreUnavailable):
        await store.records.order(CLIENT, one.order.order_id)
    assert await store.records.order(CLIENT, one.order.order_id) is not None


async def test_an_export_that_cannot_be_read_says_so(store: SeatedStore, database_url: str) -> None:
    store.records._exports._path = sqlite_path(database_url).with_name("missing")
    with pytest.raises(StoreUnavailable):
        await anext(store.records.export(EVERYTHING, lambda columns: columns))


async def test_listings_that_take_long_do_not_hold_up_the_configuration(
    store: SeatedStore, administration: Administration
) -> None:
    go_on = threading.Event()
    listings = [
        asyncio.ensure_future(store.records._readers.read(lambda _: go_on.wait(20)))
        for _ in range(4)
    ]
    try:
        administration.add_client("Shop")
        for _ in range(100):
            await asyncio.sleep(0.01)
            if store.configuration.directory.clients:
                break
        assert 1 in store.configuration.directory.clients
    finally:
        go_on.set()
        await asyncio.gather(*listings)


async def test_a_lease_of_unknown_fate_begins_nothing(
    store: SeatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block is lost, and that is all."""

    async def write(_writer: Writer, _write: object) -> int:
        raise StoreUncertain("the commit's answer was lost")

    with monkeypatch.context() as broken:
        broken.setattr(Writer, "write", write)
        leased = [store.identifiers.order_id() for _ in range(1_500)]
        answers = await asyncio.gather(*leased, return_exceptions=True)
    assert {type(each) for each in answers} == {int, StoreUnavailable}
    assert await store.identifiers.order_id() > 0
