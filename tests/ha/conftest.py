"""Fixtures: one cluster and one desk for the whole drill."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from ha.__main__ import is_private
from ha.cluster import Cluster
from ha.desk import Desk
from ha.figures import Figures, table
from ha.machine import lay_network
from ha.site import Site

START_S = 120.0


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Where everything lies; kept where a test has failed."""
    if not is_private():
        pytest.fail("the drill runs in a network of its own: make test-ha")
    lay_network()
    place = Path(tempfile.mkdtemp(prefix="netvalve-ha-"))
    place.chmod(0o755)
    yield place
    if request.session.testsfailed:
        typer.echo(f"\nkept in {place}")
    else:
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def cluster(folder: Path) -> Iterator[Cluster]:
    """The database."""
    running = Cluster(folder)
    try:
        running.start(START_S)
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def desk(folder: Path) -> Iterator[Desk]:
    """The operator's desk, with a way to the primary."""
    ready = Desk(folder / "desk")
    try:
        ready.start_way_in()
        yield ready
    finally:
        ready.stop()


@pytest.fixture(scope="session")
def site(folder: Path, cluster: Cluster, desk: Desk) -> Iterator[Site]:
    """Everything."""
    running = Site(folder, cluster, desk)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> list[Figures]:
    """What the drills have measured; printed at the end."""
    measured: list[Figures] = []
    request.config.stash[_MEASURED] = measured
    return measured


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    if measured := config.stash.get(_MEASURED, []):
        terminalreporter.section("high availability")
        for line in table(measured):
            terminalreporter.line(line)


_MEASURED = pytest.StashKey[list[Figures]]()
