"""A seat: one gateway's place at the store, with an epoch that every row it writes carries."""

from dataclasses import dataclass

from netvalve.storage.sqlite.forwards import SqliteForwards
from netvalve.storage.sqlite.journal import SqliteJournal
from netvalve.storage.sqlite.leases import SqliteLease
from netvalve.storage.sqlite.orphans import SqliteOrphans


@dataclass(frozen=True, slots=True)
class Seat:
    """What one gateway writes through; the rest of the store is for all who share it."""

    journal: SqliteJournal
    forwards: SqliteForwards
    orphans: SqliteOrphans
    lease: SqliteLease
