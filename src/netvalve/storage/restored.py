"""After a restore to an earlier moment: no number that was given out since is given out again.

Which those are nobody here knows: they were written after the copy was taken. So every counter
moves past all that can have been, at more numbers a second than a month has room for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, literal_column, select, update

from netvalve.domain.lifecycle import State
from netvalve.storage.engine import engine_of, is_sqlite, sqlite_path
from netvalve.storage.months import began_at_ms, first_number, month_of
from netvalve.storage.postgres.partitions import server_now_ms
from netvalve.storage.schema import identifiers, nodes, transactions
from netvalve.storage.sqlite.lock import FileLock, StoreInUse

_NUMBERS_A_S: Final = 40_000
_TAKEN_AHEAD: Final = 10_000_000
"""More than all gateways together hold of blocks not yet used."""
_RARELY: Final = 10_000
"""More starts of gateways, and more clients, accounts and keys, than there will have been."""
_MONTH_MS: Final = 31 * 86_400_000
_OF_MONTHS: Final = frozenset({"order", "transaction"})
_OFTEN: Final = _OF_MONTHS | {"message", "card"}


@dataclass(frozen=True, slots=True)
class Counter:
    """A kind of number, and the next of it: as restored, and from now on."""

    name: str
    restored: int
    next: int


@dataclass(frozen=True, slots=True)
class Resumption:
    """What was done about a restored store, and what is left to a person."""

    counters: tuple[Counter, ...]
    pending: int
    """What was under way when the copy was taken: a gateway will reverse or repeat it."""


def resume(database_url: str, now_ms: int) -> Resumption:
    """Move every counter on. Once more moves them further, and harms nothing.

    Raises:
        StoreInUse: a gateway runs on it, and has taken numbers already.
    """
    with _nobody_else_on(database_url) as connection:
        elapsed_s = (now_ms - _last_moment_ms(connection, now_ms)) // 1000
        rows = connection.execute(select(identifiers).order_by(identifiers.c.name))
        counters = [
            Counter(row.name, row.next, _moved(row.name, row.next, now_ms, elapsed_s))
            for row in rows.all()
        ]
        for each in counters:
            moved = update(identifiers).where(identifiers.c.name == each.name)
            connection.execute(moved.values(next=each.next))
        return Resumption(tuple(counters), connection.execute(_PENDING).scalar_one())


_PENDING: Final = (
    select(func.count())
    .select_from(transactions)
    .where(transactions.c.state == literal_column(f"'{State.PENDING}'"))
)
_LAST: Final = (
    select(transactions.c.opened_at_ms).order_by(transactions.c.transaction_id.desc()).limit(1)
)


def _moved(name: str, restored: int, now_ms: int, elapsed_s: int) -> int:
    if name not in _OFTEN:
        return restored + _RARELY
    floor = first_number(month_of(now_ms)) if name in _OF_MONTHS else 0
    return max(restored, floor) + elapsed_s * _NUMBERS_A_S + _TAKEN_AHEAD


def _last_moment_ms(connection: Connection, now_ms: int) -> int:
    """A time before the copy, but in this month or after as much of the last one.

    Numbers of earlier months cannot be given out any more, and a message's reference number has
    the hour in it.
    """
    last_ms = connection.execute(_LAST).scalar_one_or_none() or began_at_ms(month_of(now_ms))
    return min(max(last_ms, now_ms - _MONTH_MS), now_ms)


@contextmanager
def _nobody_else_on(database_url: str) -> Iterator[Connection]:
    if is_sqlite(database_url):
        lock = FileLock.of(sqlite_path(database_url))
        with lock, engine_of(database_url) as engine, engine.begin() as connection:
            yield connection
        return
    with engine_of(database_url) as engine, engine.begin() as connection:
        alive = nodes.c.lease_until_ms > server_now_ms(connection)
        node = connection.execute(select(nodes.c.node).where(alive).limit(1)).scalar_one_or_none()
        if node is not None:
            raise StoreInUse(f"the lease of gateway {node} runs: stop it, or wait for its end")
        yield connection
