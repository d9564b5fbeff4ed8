"""The revision that begins to count: on a store in use, and what runs on the schema before it."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from conformance.store.samples import NOW_MS, payment
from conformance.store.seated import StillClock, started
from conformance.store.test_counted_listings import Rows, differing, made, write
from conformance.store.test_follow_ups import differing as differing_by_follow_ups
from conformance.store.test_follow_ups import misfollowed, people, seeded
from netvalve.storage.engine import create_sqlite_file, engine_of
from netvalve.storage.migrate import upgrade
from netvalve.storage.verification.verification import verify
from stores import Databases, change, rows_of

BEFORE = "0004"


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the revision before."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
        create_sqlite_file(url)
    else:
        databases: Databases = request.getfixturevalue("databases")
        url = databases.empty()
    return migrated_to(url, BEFORE)


def migrated_to(url: str, revision: str) -> str:
    settings = Config()
    settings.set_main_option("script_location", "netvalve.storage:migrations")
    settings.attributes["on_version_apply"] = lambda **_: None
    with engine_of(url) as engine, engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)
    return url


def rows_like(seed: int, number: int) -> Rows:
    return made(random.Random(seed), number)  # noqa: S311  # the same rows every time


def miscounted(url: str) -> list[str]:
    breaches = verify(url, first=5).breaches
    return [f"{each.found} of {each.expected}" for each in breaches if "tallies" in each.rule]


async def test_what_is_there_is_counted(old_url: str) -> None:
    rows = rows_like(5, 300)
    write(old_url, rows)
    assert upgrade(old_url) == ["0005"]
    assert miscounted(old_url) == []
    store = await started(old_url, StillClock(NOW_MS))
    try:
        assert await differing(store, rows, random.Random(5), 20) == []  # noqa: S311  # the same
    finally:
        await store.stop()


async def test_what_is_there_is_followed(old_url: str) -> None:
    rows = people(15, 200)
    write(old_url, rows)
    upgrade(old_url)
    assert misfollowed(old_url) == []
    store = await started(old_url, StillClock(NOW_MS))
    try:
        assert await differing_by_follow_ups(store, rows, seeded(16), 30) == []
    finally:
        await store.stop()


async def test_a_schema_without_counts_lists_the_same(databases: Databases) -> None:
    """As a gateway of this release does until the migration."""
    url = migrated_to(databases.empty(), BEFORE)
    rows = rows_like(6, 100)
    write(url, rows)
    store = await started(url, StillClock(NOW_MS))
    try:
        assert await differing(store, rows, random.Random(6), 15) == []  # noqa: S311  # the same
        assert await store.journal.open(payment().opening) is None
    finally:
        await store.stop()
    assert verify(url, first=1).counts["orders"] == 101


def test_what_is_written_during_the_migration_is_counted_once(databases: Databases) -> None:
    url = migrated_to(databases.empty(), BEFORE)
    write(url, rows_like(7, 200))
    with writing(url):
        assert upgrade(url) == ["0005"]
        time.sleep(0.3)
    assert miscounted(url) == []
    assert rows_of(url, "SELECT count(*) FROM orders")[0][0] > 205


@contextmanager
def writing(url: str) -> Iterator[None]:
    """Small writes one after the other, as the release before makes them."""
    ended = threading.Event()
    failures: list[Exception] = []

    def write_on() -> None:
        number = 0
        try:
            while not ended.is_set():
                number += 1
                write_one(url, number)
        except Exception as failure:  # noqa: BLE001  # told to the test
            failures.append(failure)

    writer = threading.Thread(target=write_on)
    writer.start()
    time.sleep(0.3)
    try:
        yield
    finally:
        ended.set()
        writer.join()
    assert failures == []


def write_one(url: str, number: int) -> None:
    order = rows_like(1_000 + number, 1).orders[0]
    write(url, Rows([replace(order, order_id=number)], []))
    change(url, "UPDATE orders SET state = 'FAILED' WHERE order_id % 3 = :third", third=number % 3)


def test_a_migration_waits_for_a_long_read_and_holds_up_nobody(databases: Databases) -> None:
    """An export reads for an hour, perhaps: writers go on meanwhile."""
    url = migrated_to(databases.empty(), BEFORE)
    write(url, rows_like(8, 20))
    reading = psycopg.connect(url)
    reading.execute("SELECT count(*) FROM orders")
    migration = threading.Thread(target=upgrade, args=(url,))
    migration.start()
    time.sleep(2.5)
    assert migration.is_alive()
    began = time.monotonic()
    change(url, "UPDATE orders SET state = 'REVERSED' WHERE state = 'PENDING'")
    assert time.monotonic() - began < 2
    reading.close()
    migration.join(60)
    assert not migration.is_alive()
    assert rows_of(url, "SELECT version_num FROM alembic_version") == [("0005",)]
    assert miscounted(url) == []


def test_a_migration_that_was_broken_off_is_done_again(databases: Databases) -> None:
    url = migrated_to(databases.empty(), BEFORE)
    write(url, rows_like(9, 50))
    upgrade(url)
    change(url, "UPDATE alembic_version SET version_num = :before", before=BEFORE)
    change(url, "INSERT INTO tallies VALUES (1, 'O', 1, 7, 1, 'SALE', 'APPROVED', 'USD', 5)")
    assert upgrade(url) == ["0005"]
    assert miscounted(url) == []
