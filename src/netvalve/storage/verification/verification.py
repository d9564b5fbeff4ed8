"""The whole of a store, looked through once: how much there is, and what does not agree."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Table, func, select

from netvalve.storage.schema import cards, events, forwards, orders, transactions
from netvalve.storage.snapshot import snapshot_of
from netvalve.storage.verification import history_rules, order_rules
from netvalve.storage.verification.archived import is_leaving
from netvalve.storage.verification.breach import Breach
from netvalve.storage.verification.follow_up_rules import FOLLOW_UP_RULES
from netvalve.storage.verification.forward_rules import FORWARD_RULES
from netvalve.storage.verification.histories import histories
from netvalve.storage.verification.order_standing import standings
from netvalve.storage.verification.reference_rules import REFERENCE_RULES
from netvalve.storage.verification.tally_rules import TALLY_RULES, are_kept

_COUNTED: Final = (orders, transactions, events, forwards, cards)


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found."""

    counts: Mapping[str, int]
    """Rows by table."""
    broken: int
    """How many breaches there are."""
    breaches: tuple[Breach, ...]
    """The first of each rule."""


def verify(database_url: str, *, first: int) -> Verification:
    """Recompute everything from one moment of the store, and keep the first breaches of each rule.

    Memory does not grow with the store. While it runs, SQLite's log of writes cannot be emptied.
    """
    by_rule: Counter[str] = Counter()
    kept: list[Breach] = []
    with snapshot_of(database_url) as connection:
        counts = {str(table.name): _rows(connection, table) for table in _COUNTED}
        for breach in _breaches(connection):
            by_rule[breach.rule] += 1
            if by_rule[breach.rule] <= first:
                kept.append(breach)
    return Verification(counts, by_rule.total(), tuple(kept))


def _breaches(connection: Connection) -> Iterator[Breach]:
    for order in standings(connection):
        yield from order_rules.breaches_of(order)
    for history in histories(connection):
        yield from history_rules.breaches_of(history)
    for question in (*REFERENCE_RULES, *FORWARD_RULES):
        yield from question.breaches(connection)
    if are_kept(connection) and not is_leaving(connection):
        for question in (*TALLY_RULES, *FOLLOW_UP_RULES):
            yield from question.breaches(connection)


def _rows(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()
