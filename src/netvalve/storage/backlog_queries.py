"""The questions about the backlog, in Core: answered from the waiting rows' own small indexes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    FromClause,
    Select,
    bindparam,
    func,
    select,
)

from netvalve.domain.backlog import AGES, OLDER, Oldest, Waiting
from netvalve.domain.journal import ForwardKind
from netvalve.storage.queries import IS_PENDING
from netvalve.storage.schema import forwards, transactions

_NOW: Final[BindParameter[int]] = bindparam("now_ms", type_=BigInteger())
_opened: Final = transactions.c.opened_at_ms
_NAMES: Final = (*AGES, OLDER)


@dataclass(frozen=True, slots=True)
class WaitingQueries:
    """How many of a kind wait, by age, and which has waited longest."""

    by_age: Select[Any]
    oldest: Select[Any]


def _of(waiting: FromClause, *which: ColumnElement[bool]) -> WaitingQueries:
    counts: list[Any] = [func.count().filter(age) for age in _ages()]
    oldest = select(transactions.c.transaction_id, _opened).select_from(waiting).where(*which)
    return WaitingQueries(
        select(*counts).select_from(waiting).where(*which),
        oldest.order_by(_opened, transactions.c.transaction_id).limit(1),
    )


def _ages() -> tuple[ColumnElement[bool], ...]:
    """A condition for each name: one is true of every row, be its clock ahead of ours or not."""
    since = [_NOW - limit_ms for limit_ms in AGES.values()]
    youngest, oldest = _opened > since[0], _opened <= since[-1]
    between = ((_opened <= later) & (_opened > earlier) for later, earlier in pairwise(since))
    return (youngest, *between, oldest)


def waiting_of(counts: Sequence[int], oldest: Sequence[int] | None) -> Waiting:
    """What a row of each of the two queries comes to."""
    by_age = dict(zip(_NAMES, counts, strict=True))
    return Waiting(by_age, None if oldest is None else Oldest(*oldest))


_UNDONE: Final = (forwards.c.kind == str(ForwardKind.REVERSAL), forwards.c.done_at_ms.is_(None))

PENDING: Final = _of(transactions, IS_PENDING)
REVERSING: Final = _of(
    forwards.join(transactions, transactions.c.transaction_id == forwards.c.transaction_id),
    *_UNDONE,
)
REFUSED: Final = (
    select(func.count()).select_from(forwards).where(*_UNDONE, forwards.c.refused_39.is_not(None))
)
NEXT_ATTEMPT: Final = select(func.min(forwards.c.next_attempt_at_ms)).where(
    forwards.c.transaction_id == bindparam("transaction_id"), forwards.c.done_at_ms.is_(None)
)
"""When the message stored for a transaction is sent next; null where none waits."""
