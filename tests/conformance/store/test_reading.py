"""Reads: what cannot be had is told as such, and what failed is tried again."""

import asyncio

import pytest

from conformance.store.conftest import Starter
from conformance.store.samples import CLIENT
from conformance.store.seated import SeatedStore
from netvalve.domain.journal import StoreUnavailable
from netvalve.storage.administration import Administration


async def test_a_stopped_store_refuses_reads(start: Starter) -> None:
    store = await start()
    await store.stop()
    with pytest.raises(StoreUnavailable):
        await store.records.order(CLIENT, 1)


async def test_the_configuration_is_followed_again_after_any_failure(
    store: SeatedStore, administration: Administration, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:

        async def fail(_known: object) -> None:
            raise RuntimeError("cannot start a thread")

        broken.setattr(store.configuration, "_newest", fail)
        broken.setattr("netvalve.storage.configuration.FRESH_S", 0.1)
        administration.add_client("Shop")
        await asyncio.sleep(0.2)
        assert not store.configuration.directory.clients
        assert not store.configuration.fresh
    await asyncio.sleep(0.2)
    assert 1 in store.configuration.directory.clients
    assert store.configuration.fresh
