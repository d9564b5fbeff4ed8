"""A store, and a way to start it again; every store is run through the same tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from conformance.store.samples import NOW_MS, Payment
from conformance.store.seated import SeatedStore, StillClock, age_leases, started
from netvalve.storage.administration import Administration
from netvalve.storage.credentials import CredentialHasher
from netvalve.storage.engine import is_sqlite
from netvalve.storage.migrate import migrate
from netvalve.storage.postgres import exports as postgres_exports
from netvalve.storage.sqlite import exports as sqlite_exports

HASHER = CredentialHasher(b"pepper" * 6)

Starter = Callable[[], Awaitable[SeatedStore]]
Passing = Callable[[float], None]
Pay = Callable[[Payment], Awaitable[Payment]]


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A migrated file."""
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    migrate(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def exports(database_url: str) -> ModuleType:
    """The module of the store under test, to be given small limits."""
    return sqlite_exports if is_sqlite(database_url) else postgres_exports


@pytest.fixture
def clock() -> StillClock:
    return StillClock(NOW_MS)


@pytest.fixture
async def start(database_url: str, clock: StillClock) -> AsyncIterator[Starter]:
    """Starts a store on the test's database; stops at the end what still runs."""
    running: list[SeatedStore] = []

    async def start() -> SeatedStore:
        running.append(await started(database_url, clock))
        return running[-1]

    yield start
    for store in running:
        await store.stop()


@pytest.fixture
async def store(start: Starter) -> SeatedStore:
    return await start()


@pytest.fixture
def pass_s(database_url: str, clock: StillClock) -> Passing:
    """Lets time pass for the leases."""
    return partial(age_leases, database_url, clock)


@pytest.fixture
def administration(database_url: str) -> Administration:
    return Administration(database_url, HASHER)


@pytest.fixture
def pay(store: SeatedStore) -> Pay:
    """Opens a payment and closes it as approved."""

    async def paid(payment: Payment) -> Payment:
        assert await store.journal.open(payment.opening) is None
        assert await store.journal.close(payment.closing())
        return payment

    return paid
