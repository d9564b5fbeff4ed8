"""A store, and a way to start it again; every store is run through the same tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from conformance.store.samples import NOW_MS, Payment
from netvalve.storage.administration import Administration
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.migrate import migrate
from netvalve.storage.sqlite.forwards import SqliteForwards
from netvalve.storage.sqlite.journal import SqliteJournal
from netvalve.storage.sqlite.seat import Seat
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics

LEASE_S = 10
HASHER = CredentialHasher(b"pepper" * 6)


class StillClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now_ms(self) -> int:
        return NOW_MS

    def monotonic_s(self) -> float:
        return self.passed_s


class SeatedStore(SqliteStore):
    """A store with one gateway on it."""

    seat: Seat

    @property
    def journal(self) -> SqliteJournal:
        return self.seat.journal

    @property
    def forwards(self) -> SqliteForwards:
        return self.seat.forwards


Starter = Callable[[], Awaitable[SeatedStore]]


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = f"{request.param}:///{tmp_path / 'store.sqlite3'}"
    migrate(url)
    return url


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def start(database_url: str, clock: StillClock) -> AsyncIterator[Starter]:
    """Starts a store on the test's database; stops at the end what still runs."""
    running: list[SeatedStore] = []

    async def started() -> SeatedStore:
        store = await SeatedStore.start(
            database_url,
            clock=clock,
            metrics=Metrics(),
            configuration_poll_s=0.05,
            read_connections=2,
        )
        running.append(store)
        store.seat = await store.join("test", LEASE_S)
        return store

    yield started
    for store in running:
        await store.stop()


@pytest.fixture
async def store(start: Starter) -> SeatedStore:
    return await start()


@pytest.fixture
def administration(database_url: str) -> Administration:
    return Administration(database_url, HASHER)


Pay = Callable[[Payment], Awaitable[Payment]]


@pytest.fixture
def pay(store: SeatedStore) -> Pay:
    """Opens a payment and closes it as approved."""

    async def paid(payment: Payment) -> Payment:
        assert await store.journal.open(payment.opening) is None
        assert await store.journal.close(payment.closing())
        return payment

    return paid
