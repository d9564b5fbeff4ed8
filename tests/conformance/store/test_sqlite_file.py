"""The embedded store's file: one gateway's own, on disks that fill up, beside other processes."""

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.store.conftest import Pay, Starter
from conformance.store.samples import CLIENT, payment
from conformance.store.seated import SeatedStore, StillClock
from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.engine import engine_of, sqlite_path
from netvalve.storage.migrate import migrate
from netvalve.storage.sqlite.lock import StoreInUse
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_new_database_writes_ahead_and_is_its_owner_s_alone(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    assert sqlite_path(database_url).stat().st_mode & 0o777 == 0o600


async def test_a_restart_waits_for_no_lease_even_where_the_clock_was_put_back(
    start: Starter, clock: StillClock
) -> None:
    """The file is one gateway's: whoever had it before is gone."""
    first = await start()
    await first.journal.open(payment().opening)
    await first.stop()
    clock.passed_s -= 3600
    second = await start()
    assert len(await second.orphans.left_by()) == 1


async def test_a_second_gateway_on_the_same_database_is_refused(
    start: Starter, store: SeatedStore
) -> None:
    with pytest.raises(StoreInUse, match="one gateway"):
        await start()
    await store.stop()
    assert await (await start()).records.writable()


async def test_a_database_is_not_migrated_while_a_gateway_runs_on_it(
    store: SeatedStore, database_url: str
) -> None:
    with pytest.raises(StoreInUse, match="one gateway"):
        migrate(database_url)
    await store.stop()
    assert migrate(database_url) == []


async def test_a_second_gateway_leaves_the_first_one_s_schema_alone(
    start: Starter, store: SeatedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrated: list[str] = []
    monkeypatch.setattr("netvalve.storage.sqlite.store.upgrade", migrated.append)
    with pytest.raises(StoreInUse):
        await start()
    assert migrated == []
    assert await store.records.writable()


async def test_a_store_starts_on_a_database_that_was_never_migrated(
    tmp_path: Path, clock: StillClock
) -> None:
    new, empty = tmp_path / "folder" / "new.sqlite3", tmp_path / "empty.sqlite3"
    empty.touch()
    for path in (new, empty):
        store = await SqliteStore.start(path, clock=clock, metrics=Metrics())
        assert await store.records.writable()
        await store.stop()


async def test_a_writer_that_dies_is_told_and_nobody_waits_for_it(
    database_url: str, clock: StillClock
) -> None:
    def broken(_connection: sqlite3.Connection) -> None:
        raise asyncio.CancelledError

    died: list[str] = []
    store = await SqliteStore.start(
        database_url,
        clock=clock,
        metrics=Metrics(),
        on_death=lambda: died.append("told"),
    )
    seat = await store.join("n", 10)
    assert died == []
    with pytest.raises(StoreUncertain):
        await store._writer.write(broken)
    assert died == ["told"]
    async with asyncio.timeout(1):
        with pytest.raises(StoreUnavailable):
            await seat.lease.renew()
        assert not await store.records.writable()
        await store.stop()
    assert died == ["told"]


async def test_the_log_of_writes_shrinks_again(store: SeatedStore) -> None:
    connection = store.journal._writer._connection
    assert connection is not None
    (limit,) = connection.execute("PRAGMA journal_size_limit").fetchone()
    assert limit == 64 * 2**20


@contextmanager
def _no_file_grows_beyond(size: int) -> Iterator[None]:
    """As on a full disk: writes past this offset fail, in this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_refuses_writes_and_heals(
    store: SeatedStore, pay: Pay, database_url: str
) -> None:
    kept = await pay(payment())
    path = sqlite_path(database_url)
    log_bytes = path.with_name(f"{path.name}-wal").stat().st_size
    lost = [payment() for _ in range(5)]
    with _no_file_grows_beyond(log_bytes):
        answers = await asyncio.gather(
            *(store.journal.open(each.opening) for each in lost), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert await store.records.order(CLIENT, kept.order.order_id) is not None
    for each in lost:
        assert await store.records.order(CLIENT, each.order.order_id) is None
        await pay(each)
    assert await store.records.writable()


async def test_a_statement_that_meets_a_full_database_fails_its_batch(
    store: SeatedStore, pay: Pay
) -> None:
    """The failure comes before the commit: nothing of the batch is written."""
    await pay(payment())
    connection = store.journal._writer._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")
    lost = [payment(client_order_id="x" * 90_000) for _ in range(3)]
    answers = await asyncio.gather(
        *(store.journal.open(each.opening) for each in lost), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {StoreUnavailable}
    connection.execute("PRAGMA max_page_count=1000000")
    await pay(lost[0])


class BrokenCommit:
    """A connection whose COMMIT fails as it does when the disk cannot say what it has kept."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.broken = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        if self.broken and statement == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._connection.execute(statement, *values)


async def test_a_commit_of_unknown_fate_is_told_as_such(store: SeatedStore, pay: Pay) -> None:
    writer = store.journal._writer
    assert writer._connection is not None
    connection = BrokenCommit(writer._connection)
    writer._connection = connection  # type: ignore[assignment]  # stands in for it
    one = payment()
    with pytest.raises(StoreUncertain):
        await store.journal.open(one.opening)
    assert not await store.records.writable()
    connection.broken = False
    await pay(one)


async def test_another_process_s_write_is_waited_for_off_the_loop(
    store: SeatedStore, database_url: str
) -> None:
    other = sqlite3.connect(sqlite_path(database_url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opening = asyncio.create_task(store.journal.open(payment().opening))
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert not opening.done()
    other.execute("ROLLBACK")
    other.close()
    assert await asyncio.wait_for(opening, 5) is None
