"""The questions about stored messages and orphaned transactions, in Core."""

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Select, bindparam, exists, func, select, union

from netvalve.storage.queries import BOTH, IS_PENDING
from netvalve.storage.schema import forwards, nodes, orders, transactions

_ABOUT: Final = forwards.join(BOTH, forwards.c.transaction_id == transactions.c.transaction_id)
_MESSAGE: Final[Select[Any]] = select(forwards, transactions, orders).select_from(_ABOUT)

_OF_BANK: Final = (
    _MESSAGE.where(
        forwards.c.owner_epoch == bindparam("epoch"),
        forwards.c.bank_id == bindparam("bank_id"),
        forwards.c.done_at_ms.is_(None),
        forwards.c.resolution.is_(None),
    )
    .order_by(forwards.c.next_attempt_at_ms)
    .limit(bindparam("limit"))
)
DUE: Final = _OF_BANK.where(forwards.c.next_attempt_at_ms <= bindparam("now_ms"))
"""What one gateway is to send to a bank now, the longest waiting first."""
ASTRAY: Final = _OF_BANK.where(forwards.c.next_attempt_at_ms > bindparam("latest_ms"))
"""What waits longer than anything may: the clock has been put back since."""

RESOLVED: Final = (
    _MESSAGE.where(
        forwards.c.done_at_ms.is_(None),
        forwards.c.resolution.is_not(None),
        forwards.c.owner_epoch == bindparam("epoch"),
    )
    .order_by(forwards.c.transaction_id)
    .limit(bindparam("limit"))
)
"""What an operator has ended by hand, of one gateway's own; it is not sent any more."""

OF_ORIGINAL: Final = _MESSAGE.where(forwards.c.original_rrn == bindparam("rrn"))
"""What is stored about the message with this RRN, whether or not it has ended."""

_STORED: Final = exists().where(
    forwards.c.transaction_id == transactions.c.transaction_id, forwards.c.done_at_ms.is_(None)
)

ORPHANS: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(
        IS_PENDING,
        transactions.c.owner_epoch == bindparam("epoch"),
        transactions.c.transaction_id > bindparam("after_id"),
        ~_STORED,
    )
    .order_by(transactions.c.transaction_id)
    .limit(bindparam("limit"))
)
"""Pending transactions of one epoch, for which no message is stored, with their orders."""


def _owners(column: Column[int], left: ColumnElement[bool], name: str) -> Select[tuple[int]]:
    """Each owner of what is left, found by one step into the index, however much each has."""
    first = select(func.min(column).label("epoch")).where(left)
    owners = first.cte(name, recursive=True)
    following = select(func.min(column)).where(left, column > owners.c.epoch).scalar_subquery()
    owners = owners.union_all(select(following).where(owners.c.epoch.is_not(None)))
    return select(owners.c.epoch)


_OWNERS: Final = union(
    _owners(transactions.c.owner_epoch, IS_PENDING, "of_pending"),
    _owners(forwards.c.owner_epoch, forwards.c.done_at_ms.is_(None), "of_waiting"),
).subquery("owners")
_RUNNING: Final = exists().where(
    nodes.c.epoch == _OWNERS.c.epoch, nodes.c.lease_until_ms > bindparam("now_ms")
)
LEFT_BY: Final = (
    select(_OWNERS.c.epoch)
    .where(_OWNERS.c.epoch != bindparam("epoch"), ~_RUNNING)
    .order_by(_OWNERS.c.epoch)
)
"""The other epochs without a running lease that have left something, the oldest first."""
