"""A store, and a way to start it again; every store is run through the same tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from conformance.store.samples import NOW_MS, Payment
from netvalve.storage.administration import Administration
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.migrate import migrate
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics

HASHER = CredentialHasher(b"pepper" * 6)


class StillClock:
    def now_ms(self) -> int:
        return NOW_MS


Starter = Callable[[], Awaitable[SqliteStore]]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = f"{request.param}:///{tmp_path / 'store.sqlite3'}"
    migrate(url)
    return url


@pytest.fixture
async def start(database_url: str) -> AsyncIterator[Starter]:
    """Starts a store on the test's database; stops at the end what still runs."""
    running: list[SqliteStore] = []

    async def started() -> SqliteStore:
        store = await SqliteStore.start(
            database_url,
            node="test",
            clock=StillClock(),
            metrics=Metrics(),
            configuration_poll_s=0.05,
            read_connections=2,
        )
        running.append(store)
        return store

    yield started
    for store in running:
        await store.stop()


@pytest.fixture
async def store(start: Starter) -> SqliteStore:
    return await start()


@pytest.fixture
def administration(database_url: str) -> Administration:
    return Administration(database_url, HASHER)


Pay = Callable[[Payment], Awaitable[Payment]]


@pytest.fixture
def pay(store: SqliteStore) -> Pay:
    """Opens a payment and closes it as approved."""

    async def paid(payment: Payment) -> Payment:
        assert await store.journal.open(payment.opening) is None
        assert await store.journal.close(payment.closing())
        return payment

    return paid
