"""A seat: one gateway's place at the store, with an epoch that every row it writes carries."""

from dataclasses import dataclass

from netvalve.storage.postgres.forwards import PostgresForwards
from netvalve.storage.postgres.journal import PostgresJournal
from netvalve.storage.postgres.leases import PostgresLease
from netvalve.storage.postgres.orphans import PostgresOrphans


@dataclass(frozen=True, slots=True)
class PostgresSeat:
    """What one gateway writes through; the rest of the store is for all who share it."""

    journal: PostgresJournal
    forwards: PostgresForwards
    orphans: PostgresOrphans
    lease: PostgresLease
