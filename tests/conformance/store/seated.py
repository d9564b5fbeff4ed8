"""Each kind of store, begun the same way; and what differs between them that a test must know."""

import sqlite3
from dataclasses import dataclass

import asyncpg
from sqlalchemy import Connection, text

from netvalve.bootstrap.store import Seat, Store
from netvalve.payments.ports import (
    Clock,
    Configuration,
    Expiring,
    Forwards,
    Identifiers,
    Journal,
    Keys,
    LeaseAtStore,
    Orphans,
    Records,
)
from netvalve.storage.engine import is_sqlite
from netvalve.storage.postgres.store import PostgresStore
from netvalve.storage.sqlite.store import SqliteStore
from netvalve.telemetry.metrics import Metrics
from stores import change

LEASE_S = 10
IMPOSSIBLE = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
"""What a driver says of rows that cannot be."""


@dataclass
class SeatedStore:
    """A store with one gateway on it."""

    store: Store
    seat: Seat

    @property
    def journal(self) -> Journal:
        return self.seat.journal

    @property
    def forwards(self) -> Forwards:
        return self.seat.forwards

    @property
    def orphans(self) -> Orphans:
        return self.seat.orphans

    @property
    def lease(self) -> LeaseAtStore:
        return self.seat.lease

    @property
    def identifiers(self) -> Identifiers:
        return self.store.identifiers

    @property
    def records(self) -> Records:
        return self.store.records

    @property
    def configuration(self) -> Configuration:
        return self.store.configuration

    @property
    def keys(self) -> Keys:
        return self.store.keys

    @property
    def expiring(self) -> Expiring:
        return self.store.expiring

    async def join(self, node: str) -> Seat:
        """Another gateway's seat."""
        return await self.store.join(node, LEASE_S)

    async def stop(self) -> None:
        await self.store.stop()


async def started(database_url: str, clock: Clock, node: str = "test") -> SeatedStore:
    """A gateway's store, as far as the gateway goes."""
    kind = SqliteStore if is_sqlite(database_url) else PostgresStore
    store: Store = await kind.start(
        database_url,
        clock=clock,
        metrics=Metrics(),
        configuration_poll_s=0.05,
        read_connections=2,
    )
    return SeatedStore(store, await store.join(node, LEASE_S))


class StillClock:
    """Time that passes when a test says so."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self.passed_s = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic_s(self) -> float:
        return self.passed_s


def unguard_history(connection: Connection) -> None:
    """Take away what keeps history from being changed."""
    on_table = "" if connection.dialect.name == "sqlite" else " ON events"
    for trigger in ("events_keep", "events_stay"):
        connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}{on_table}"))


def age_leases(database_url: str, clock: StillClock, seconds: float) -> None:
    """So much time passes for every lease: by the process's clock, or by the server's own."""
    if is_sqlite(database_url):
        clock.passed_s += seconds
        return
    change(
        database_url,
        "UPDATE nodes SET lease_until_ms = lease_until_ms - :past_ms",
        past_ms=round(seconds * 1000),
    )
