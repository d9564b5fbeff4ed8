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
        forwards.c.done_at_ms.is_(None), forwards.c.next_attempt_at_ms <= bindparam("now_ms")
    )
    .order_by(forwards.c.next_attempt_at_ms)
    .limit(bindparam("limit"))
)
"""What is to be sent now, the longest waiting first."""

OF_ORIGINAL: Final = _MESSAGE.where(forwards.c.original_rrn == bindparam("rrn"))
"""What is stored about the message with this RRN, whether or not it has ended."""

ORPHANS: Final = (
    select(transactions.c.transaction_id)
    .where(
        transactions.c.state == str(State.PENDING), transactions.c.owner_epoch != bindparam("epoch")
    )
    .limit(bindparam("limit"))
)
"""Pending transactions of another start."""

UNSTORED: Final = (
    select(transactions, orders)
    .select_from(BOTH)
    .where(
        transactions.c.transaction_id == bindparam("transaction_id"),
        ~exists().where(
            forwards.c.transaction_id == transactions.c.transaction_id,
            forwards.c.done_at_ms.is_(None),
        ),
    )
)
"""A transaction with its order, unless a message of its own is stored already."""
