"""Stored messages as an operator sees them: what has no end yet, and how it is ended by hand.

An operator's word is kept with the message; the gateway that owns it then ends it, as a bank's
answer would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, exists, select, update

from netvalve.domain.journal import ForwardKind, Resolution, ResolvedAs, StoredMessage
from netvalve.domain.lifecycle import State
from netvalve.domain.order import Order
from netvalve.domain.transaction import Transaction
from netvalve.storage.account_rules import AdministrationError
from netvalve.storage.mapping import (
    resolution_of,
    stored_message_of,
    transaction_of,
    transaction_on_order_of,
)
from netvalve.storage.queries import BOTH
from netvalve.storage.resolution_reason import checked_reason
from netvalve.storage.schema import forwards, orders, transactions

_ENDS: Final[Mapping[ForwardKind, tuple[ResolvedAs, ...]]] = {
    ForwardKind.REVERSAL: (ResolvedAs.REVERSED,),
    ForwardKind.REPEAT: (ResolvedAs.APPROVED, ResolvedAs.DECLINED),
}
"""What a stored message may be resolved as."""


@dataclass(frozen=True, slots=True)
class Unended:
    """A transaction without an end, and the message that waits to end it, where one is stored."""

    transaction: Transaction
    order: Order
    message: StoredMessage | None = None

    @property
    def age_key(self) -> tuple[int, int]:
        """By which the oldest comes first."""
        return self.transaction.opened_at_ms, self.transaction.transaction_id


@dataclass(frozen=True, slots=True)
class MessageReport:
    """One stored message of a transaction, whether it still waits or has ended."""

    kind: ForwardKind
    attempts: int
    next_attempt_at_ms: int | None
    """None once it has ended."""
    ended_at_ms: int | None
    refused_39: str | None
    resolution: Resolution | None


_WAITS: Final = forwards.c.done_at_ms.is_(None)
_WAITING: Final[Select[Any]] = (
    select(forwards, transactions, orders)
    .select_from(forwards.join(BOTH, forwards.c.transaction_id == transactions.c.transaction_id))
    .where(_WAITS)
    .order_by(transactions.c.opened_at_ms, transactions.c.transaction_id)
    .limit(bindparam("first"))
)
_REFUSED: Final = _WAITING.where(forwards.c.refused_39.is_not(None))
_WITHOUT_MESSAGE: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(
        transactions.c.state == "PENDING",
        ~exists().where(forwards.c.transaction_id == transactions.c.transaction_id, _WAITS),
    )
    .order_by(transactions.c.opened_at_ms, transactions.c.transaction_id)
    .limit(bindparam("first"))
)
_OF_TRANSACTION: Final = (
    select(
        forwards.c.kind,
        forwards.c.attempts,
        forwards.c.next_attempt_at_ms,
        forwards.c.done_at_ms,
        forwards.c.refused_39,
        forwards.c.resolution,
        forwards.c.resolution_reason,
    )
    .where(forwards.c.transaction_id == bindparam("transaction_id"))
    .order_by(forwards.c.kind)
)
_TRANSACTION: Final = select(transactions).where(
    transactions.c.transaction_id == bindparam("transaction_id")
)
_RESOLVE: Final = (
    update(forwards)
    .where(
        forwards.c.transaction_id == bindparam("number"),
        forwards.c.kind == bindparam("stored_kind"),
        _WAITS,
        forwards.c.resolution.is_(None),
    )
    .values(resolution=bindparam("as_"), resolution_reason=bindparam("reason"))
)


def unended(connection: Connection, *, first: int, refused: bool) -> tuple[Unended, ...]:
    """What has no end yet, the oldest first; or of that only what its bank has last refused."""
    waiting = map(stored_message_of, _rows(connection, _REFUSED if refused else _WAITING, first))
    found = [Unended(each.transaction, each.order, each) for each in waiting]
    if not refused:
        plain = map(transaction_on_order_of, _rows(connection, _WITHOUT_MESSAGE, first))
        found += [Unended(*each) for each in plain]
    return tuple(sorted(found, key=attrgetter("age_key"))[:first])


def messages_of(connection: Connection, transaction_id: int) -> tuple[MessageReport, ...]:
    """The stored messages of one transaction."""
    rows = connection.execute(_OF_TRANSACTION, {"transaction_id": transaction_id})
    return tuple(_report_of(*row) for row in rows)


def resolve(connection: Connection, transaction_id: int, resolution: Resolution) -> None:
    """Keep an operator's word with the message that waits.

    Raises:
        AdministrationError: there is none, or it is not to be ended so; nothing was changed.
    """
    reason = checked_reason(resolution.reason)
    kind = _resolvable(connection, transaction_id, resolution.as_)
    kept = connection.execute(
        _RESOLVE,
        {
            "number": transaction_id,
            "stored_kind": str(kind),
            "as_": str(resolution.as_),
            "reason": reason,
        },
    )
    if kept.rowcount == 0:
        raise AdministrationError(f"transaction {transaction_id} has ended meanwhile; look again")


def _resolvable(connection: Connection, transaction_id: int, as_: ResolvedAs) -> ForwardKind:
    """The kind of the message that waits and may be ended so."""
    row = connection.execute(_TRANSACTION, {"transaction_id": transaction_id}).first()
    if row is None:
        raise AdministrationError(f"there is no transaction {transaction_id}")
    transaction = transaction_of(row)
    name = f"transaction {transaction_id}, a {transaction.type} in state {transaction.state},"
    message = next(
        (each for each in messages_of(connection, transaction_id) if each.ended_at_ms is None), None
    )
    if message is None:
        raise AdministrationError(f"{name} {_why_nothing_waits(transaction)}")
    if message.resolution is not None:
        raise AdministrationError(f"{name} is resolved as {message.resolution.as_} already")
    if as_ not in _ENDS[message.kind]:
        raise AdministrationError(
            f"{name} can be resolved as {' or '.join(_ENDS[message.kind])} alone"
        )
    return message.kind


def _why_nothing_waits(transaction: Transaction) -> str:
    if transaction.state is State.PENDING:
        return "is still being asked about; look again in a minute"
    return "has ended: there is nothing to resolve"


def _rows(connection: Connection, statement: Select[Any], first: int) -> list[Any]:
    return list(connection.execute(statement, {"first": first}))


def _report_of(
    kind: str,
    attempts: int,
    next_attempt_at_ms: int,
    done_at_ms: int | None,
    refused_39: str | None,
    *resolution: str | None,
) -> MessageReport:
    return MessageReport(
        ForwardKind(kind),
        attempts,
        next_attempt_at_ms if done_at_ms is None else None,
        done_at_ms,
        refused_39,
        resolution_of(*resolution),
    )
