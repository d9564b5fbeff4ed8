"""Fixtures: the session's PostgreSQL; one sandbox for all tests that only pay through it.

`--store postgresql` has the programs of tests/api and tests/e2e store there.
"""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings

from postgres import PostgresServer
from running import Merchant, Sandbox
from stores import PROGRAM_STORES, Databases

settings.register_profile("netvalve", deadline=None)  # speed is measured in bench/, never here
settings.load_profile("netvalve")

SHORT = {
    "charge_deadline_s": 1.5,
    "follow_up_deadline_s": 1.2,
    "turn_wait_s": 0.6,
    "inquiries_waiting_max": 200,
}
"""For tests in which a bank stays silent, or many ask at once."""


ONLY_ON = "only_on"
"""Marks what is about one store's own nature, and says which."""
OWN_STORE = "own_store"
"""Marks what brings its own PostgreSQL database, whatever the programs of others store in."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="where the programs under test store (tests/api, tests/e2e)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{ONLY_ON}(store): about this store's own nature")
    config.addinivalue_line("markers", f"{OWN_STORE}: the same whatever --store says (not by hand)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other store's nature; mark what brings its own."""
    store = config.getoption("store")
    for item in items:
        if isinstance(item, pytest.Function) and "databases" in item.fixturenames:
            item.add_marker(OWN_STORE)
    others = [
        item for item in items for mark in item.iter_markers(ONLY_ON) if mark.args != (store,)
    ]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real server, of this run alone; what stops it or kills it starts it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    """Fresh databases on it."""
    return Databases(postgres)


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    """A fresh migrated database."""
    url = databases.fresh()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session", autouse=True)
def program_stores(request: pytest.FixtureRequest) -> None:
    """The programs under test store where the command says."""
    if request.config.getoption("store") == "postgresql":
        PROGRAM_STORES.use(request.getfixturevalue("databases"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A running sandbox; every test uses orders of its own."""
    with Sandbox(tmp_path_factory.mktemp("sandbox"), **SHORT) as running:
        yield running


@pytest.fixture
def http(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """A client with the sandbox's API key."""
    with sandbox.client() as client:
        yield client


@pytest.fixture
def shop(http: httpx.Client) -> Merchant:
    """A merchant's program."""
    return Merchant(http)
