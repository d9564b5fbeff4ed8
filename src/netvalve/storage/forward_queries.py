"""The questions about stored messages and orphaned transactions, in Core."""

from typing import Any, Final

from sqlalchemy import Select, bindparam, exists, select

from netvalve.domain.lifecycle import State
from netvalve.storage.queries import BOTH
from netvalve.storage.schema import forwards, orders, transactions

_ABOUT: Final = forwards.join(BOTH, forwards.c.transaction_id == transactions.c.transaction_id)
_MESSAGE: Final[Select[Any]] = select(forwards, transactions, orders).select_from(_ABOUT)

DUE: Final = (
    _MESSAGE.where(
        forwards.c.bank_id == bindparam("bank_id"),
        forwards.c.done_at_ms.is_(None),
        forwards.c.next_attempt_at_ms <= bindparam("now_ms"),
    )
    .order_by(forwards.c.next_attempt_at_ms)
    .limit(bindparam("limit"))
)
"""What is to be sent to a bank now, the longest waiting first."""

OF_ORIGINAL: Final = _MESSAGE.where(forwards.c.original_rrn == bindparam("rrn"))
"""What is stored about the message with this RRN, whether or not it has ended."""

_STORED: Final = exists().where(
    forwards.c.transaction_id == transactions.c.transaction_id, forwards.c.done_at_ms.is_(None)
)

ORPHANS: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(
        transactions.c.state == str(State.PENDING),
        transactions.c.owner_epoch != bindparam("epoch"),
        transactions.c.transaction_id > bindparam("after_id"),
        ~_STORED,
    )
    .order_by(transactions.c.transaction_id)
    .limit(bindparam("limit"))
)
"""Pending transactions of another start, for which no message is stored, with their orders."""
