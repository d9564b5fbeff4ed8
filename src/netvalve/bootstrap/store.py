"""A store, whichever database it is in; the address decides."""

from collections.abc import Callable
from typing import Protocol

from netvalve.bootstrap.ground import Ground
from netvalve.payments.ports import (
    Allowances,
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


class Seat(Protocol):
    """One gateway's place at a store: what it writes through."""

    @property
    def journal(self) -> Journal:
        """Openings and closings."""

    @property
    def forwards(self) -> Forwards:
        """Stored messages."""

    @property
    def orphans(self) -> Orphans:
        """What others have left."""

    @property
    def lease(self) -> LeaseAtStore:
        """Its lease."""


class Store(Protocol):
    """What gateways share, and the way to a seat."""

    @property
    def identifiers(self) -> Identifiers:
        """Numbers."""

    @property
    def records(self) -> Records:
        """The read side."""

    @property
    def configuration(self) -> Configuration:
        """The directory."""

    @property
    def keys(self) -> Keys:
        """Idempotency keys at rest."""

    @property
    def allowances(self) -> Allowances:
        """The requests of limited clients."""

    @property
    def expiring(self) -> Expiring:
        """The ends of holds."""

    async def join(self, node: str, lease_s: float) -> Seat:
        """A seat for one gateway, under an epoch that no other has had; its lease runs.

        Raises:
            StoreUnavailable, StoreUncertain: there is none; a lease of its own may run out.
        """

    async def stop(self) -> None:
        """Write what waits and let go of the database."""


async def start_store(ground: Ground, on_death: Callable[[], None] | None = None) -> Store:
    """The store of the settings' database; `on_death` hears that it writes no more.

    Raises:
        StoreInUse, StoreNotReady, DatabaseUrlError: it cannot be had, and why.
    """
    settings = ground.settings
    kind = SqliteStore if is_sqlite(settings.database_url) else PostgresStore
    return await kind.start(
        settings.database_url,
        clock=ground.clock,
        metrics=ground.metrics,
        batch_max=settings.journal_batch_max,
        waiting_max=settings.journal_waiting_max,
        read_connections=settings.read_connections,
        configuration_poll_s=settings.configuration_poll_s,
        export_max_s=settings.export_max_s,
        listing_max_s=settings.listing_max_s,
        on_death=on_death,
    )
