"""The store of many gateways, in one PostgreSQL database: joins its parts, and lets go of them."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, Self

import asyncpg

from netvalve.domain.journal import StoreUnavailable, StoreUncertain
from netvalve.storage.configuration import FollowedConfiguration
from netvalve.storage.engine import engine_of
from netvalve.storage.identifiers import LeasedIdentifiers
from netvalve.storage.listings import LISTING_MAX_S
from netvalve.storage.migrate import TALLIES_SINCE, require_usable
from netvalve.storage.months import NUMBERS_A_MONTH
from netvalve.storage.postgres import leases
from netvalve.storage.postgres.allowances import PostgresAllowances
from netvalve.storage.postgres.batch_writer import ANSWER_S, BatchWriter, Item, Result, Statement
from netvalve.storage.postgres.closing import Closings
from netvalve.storage.postgres.configuration import follow_configuration
from netvalve.storage.postgres.connection import BY_NUMBER
from netvalve.storage.postgres.expiring import PostgresExpiring
from netvalve.storage.postgres.exports import Exports
from netvalve.storage.postgres.folding import keep_folding
from netvalve.storage.postgres.forwards import PostgresForwards
from netvalve.storage.postgres.journal import PostgresJournal
from netvalve.storage.postgres.keys import PostgresKeys
from netvalve.storage.postgres.leases import PostgresLease
from netvalve.storage.postgres.opening import Openings
from netvalve.storage.postgres.orphans import PostgresOrphans
from netvalve.storage.postgres.partitions import add_months
from netvalve.storage.postgres.pools import Readers, Writers
from netvalve.storage.postgres.records import PostgresRecords
from netvalve.storage.postgres.seat import PostgresSeat
from netvalve.telemetry.metrics import Metrics

_LOOK_UPS: Final = 2
_WORKERS: Final = 2
_ALLOWANCES: Final = 2
_VITAL: Final = 1
_LISTING_S: Final = 30.0
_MONTHS_EVERY_S: Final = 3600.0
_NEXT_MONTH: Final = (
    f"to_char((now() AT TIME ZONE 'UTC') + interval '1 month', 'YYMM')::bigint * {NUMBERS_A_MONTH}"
)
"""By the server's clock: no gateway's own may take the numbers of everybody into a month that has
no tables yet."""
_LEASE: Final = f"""
UPDATE identifiers SET next = GREATEST(next, LEAST($1, {_NEXT_MONTH})) + $2
WHERE name = $3 RETURNING next - $2
"""
_log: Final = logging.getLogger(__name__)


class Clock(Protocol):
    """What the store asks of a clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


@dataclass(frozen=True, slots=True)
class Connections:
    """A gateway's connections, beside two for its journal and one for each export under way.

    More of them than the server has cores gain nothing.
    """

    look_ups: Readers
    listings: Readers
    workers: Writers
    allowances: Writers
    vital_reads: Readers
    """For the configuration and for readiness."""
    vital: Writers
    """For the lease."""
    numbers: Writers
    """For blocks of numbers, which payments wait for."""

    @classmethod
    def to(cls, database_url: str, listings: int) -> Self:
        """None of them is open yet."""
        return cls(
            look_ups=Readers(database_url, _LOOK_UPS, "look-up", ANSWER_S, **BY_NUMBER),
            listings=Readers(database_url, listings, "listing", _LISTING_S),
            workers=Writers(database_url, _WORKERS, "worker", ANSWER_S, **BY_NUMBER),
            allowances=Writers(database_url, _ALLOWANCES, "allowance", ANSWER_S),
            vital_reads=Readers(database_url, _VITAL, "configuration", ANSWER_S),
            vital=Writers(database_url, _VITAL, "lease", ANSWER_S),
            numbers=Writers(database_url, _VITAL, "numbers", ANSWER_S),
        )

    @property
    def all(self) -> tuple[Readers | Writers, ...]:
        """Every pool."""
        return (
            self.look_ups,
            self.listings,
            self.workers,
            self.allowances,
            self.vital_reads,
            self.vital,
            self.numbers,
        )


class PostgresStore:
    """One process's way to the database, and the seats of its gateways."""

    identifiers: LeasedIdentifiers
    configuration: FollowedConfiguration

    def __init__(
        self,
        database_url: str,
        *,
        tallies: bool,
        metrics: Metrics,
        batch_max: int,
        waiting_max: int,
        read_connections: int,
        export_max_s: float,
        listing_max_s: float,
        on_death: Callable[[], None] | None,
    ) -> None:
        self._connections = own = Connections.to(database_url, read_connections)
        exports = Exports(database_url, read_connections, export_max_s)
        self.records = PostgresRecords(
            own.look_ups,
            own.listings,
            own.vital_reads,
            exports,
            tallies=tallies,
            listing_max_s=listing_max_s,
        )
        self._tallies = tallies
        self.keys = PostgresKeys(own.workers)
        self.expiring = PostgresExpiring(own.look_ups, own.workers)
        self.allowances = PostgresAllowances(own.allowances)
        self._database_url, self._metrics = database_url, metrics
        self._batch_max, self._waiting_max, self._on_death = batch_max, waiting_max, on_death
        self._parts = AsyncExitStack()

    @classmethod
    async def start(
        cls,
        database_url: str,
        *,
        clock: Clock,
        metrics: Metrics,
        batch_max: int = 512,
        waiting_max: int = 10_000,
        read_connections: int = 4,
        configuration_poll_s: float = 0.5,
        export_max_s: float = 3600,
        listing_max_s: float = LISTING_MAX_S,
        on_death: Callable[[], None] | None = None,
    ) -> Self:
        """Reach a database that has its tables. `on_death` hears that a writer is at its end.

        Raises:
            StoreNotReady: it has no tables, or those of a release that this one cannot run with.
        """
        revision = await asyncio.to_thread(require_usable, database_url)
        await asyncio.to_thread(_months_added, database_url)
        store = cls(
            database_url,
            tallies=revision >= TALLIES_SINCE,
            metrics=metrics,
            batch_max=batch_max,
            waiting_max=waiting_max,
            read_connections=read_connections,
            export_max_s=export_max_s,
            listing_max_s=listing_max_s,
            on_death=on_death,
        )
        try:
            await store._begin(clock, configuration_poll_s)
        except BaseException:
            await store.stop()
            raise
        return store

    async def join(self, node: str, lease_s: float) -> PostgresSeat:
        """A seat for one gateway, under an epoch that no other has had; its lease runs.

        Raises:
            StoreUnavailable, StoreUncertain: there is none; a lease of its own may run out.
        """
        own = self._connections
        owner = await own.vital.write(partial(leases.join, node=node, lease_ms=int(lease_s * 1000)))
        journal = PostgresJournal(
            self._writer(owner.epoch, Openings(owner)), self._writer(owner.epoch, Closings(owner))
        )
        self._parts.push_async_callback(journal.stop)
        return PostgresSeat(
            journal,
            PostgresForwards(own.look_ups, own.workers, owner),
            PostgresOrphans(own.look_ups, own.workers, owner),
            PostgresLease(own.vital, owner, lease_s),
        )

    async def stop(self) -> None:
        """Write what waits and close the connections."""
        await self._parts.aclose()

    async def _begin(self, clock: Clock, configuration_poll_s: float) -> None:
        for pool in self._connections.all:
            await pool.start()
            self._parts.push_async_callback(pool.stop)
        self.identifiers = await LeasedIdentifiers.start(self._leased, clock.now_ms)
        self._parts.push_async_callback(self.identifiers.stop)
        self.configuration = await follow_configuration(
            self._connections.vital_reads, poll_s=configuration_poll_s
        )
        self._parts.push_async_callback(self.configuration.stop)
        months = asyncio.create_task(self._add_months(), name="months")
        self._parts.callback(months.cancel)
        if self._tallies:
            folding = asyncio.create_task(keep_folding(self._connections.workers), name="tallies")
            self._parts.callback(folding.cancel)

    def _writer(self, epoch: int, statement: Statement[Item, Result]) -> BatchWriter[Item, Result]:
        return BatchWriter(
            self._database_url,
            epoch,
            statement,
            batch_max=self._batch_max,
            waiting_max=self._waiting_max,
            observe=self._metrics.journal_batch,
            on_death=self._on_death,
        )

    async def _leased(self, name: str, size: int, floor: int) -> int:
        """A block. One of unknown fate is lost, and nothing was begun with it."""

        async def taken(connection: asyncpg.Connection) -> int:
            first: int = await connection.fetchval(_LEASE, floor, size, name)
            return first

        try:
            return await self._connections.numbers.write(taken)
        except StoreUncertain as error:
            raise StoreUnavailable(f"a block of numbers was lost: {error}") from error

    async def _add_months(self) -> None:
        """See to it that the months to come have their tables."""
        while True:
            await asyncio.sleep(_MONTHS_EVERY_S)
            try:
                await asyncio.to_thread(_months_added, self._database_url)
            except Exception:  # noqa: BLE001  # there are months ahead: the next look may succeed
                _log.exception("the tables of the coming months cannot be made")


def _months_added(database_url: str) -> None:
    with engine_of(database_url) as engine, engine.begin() as connection:
        add_months(connection)
