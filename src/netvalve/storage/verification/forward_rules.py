"""What must hold of stored messages: one waits exactly as long as its transaction does."""

from typing import Final

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select

from netvalve.domain.journal import ForwardKind, ResolvedAs
from netvalve.domain.lifecycle import Event, State
from netvalve.storage.schema import events, forwards, transactions
from netvalve.storage.verification.archived import is_here
from netvalve.storage.verification.breach import Question, Subject

_WAITS: Final = literal("waits")
_DONE: Final = literal("done")


def _ends_with_its_transaction(
    rule: str, kind: ForwardKind, waiting: State, needs: ColumnElement[bool]
) -> Question:
    """Those of `needs` have the message; it waits in that one state and is done after it."""
    stands = case(
        (forwards.c.transaction_id.is_(None), literal("not stored")),
        (forwards.c.done_at_ms.is_(None), _WAITS),
        else_=_DONE,
    )
    expected = case((transactions.c.state == str(waiting), _WAITS), else_=_DONE)
    stored = and_(
        forwards.c.transaction_id == transactions.c.transaction_id, forwards.c.kind == str(kind)
    )
    return Question(
        rule,
        Subject.TRANSACTION,
        select(transactions.c.transaction_id, stands, expected)
        .select_from(transactions.outerjoin(forwards, stored))
        .where(needs, stands != expected),
    )


_REVERSED: Final = transactions.c.state.in_([str(State.REVERSING), str(State.REVERSED)])
_REPEATED: Final = transactions.c.transaction_id.in_(
    select(events.c.transaction_id).where(events.c.event == str(Event.REPEATED))
)
_WAS_REPEATED: Final = exists().where(
    events.c.transaction_id == forwards.c.transaction_id, events.c.event == str(Event.REPEATED)
)
_ABOUT: Final = forwards.outerjoin(
    transactions, transactions.c.transaction_id == forwards.c.transaction_id
)

_STORED_FOR_NOTHING: Final = Question(
    "a message is stored for what is reversed or repeated alone",
    Subject.TRANSACTION,
    select(
        forwards.c.transaction_id,
        forwards.c.kind,
        func.coalesce(transactions.c.state, "no transaction"),
    )
    .select_from(_ABOUT)
    .where(
        is_here(forwards.c.transaction_id),
        or_(
            transactions.c.state.is_(None),
            and_(forwards.c.kind == str(ForwardKind.REVERSAL), ~_REVERSED),
            and_(forwards.c.kind == str(ForwardKind.REPEAT), ~_WAS_REPEATED),
        ),
    ),
)

_OTHER_MESSAGE: Final = Question(
    "a stored message is about its transaction's own, a repeat is that message",
    Subject.TRANSACTION,
    select(
        forwards.c.transaction_id,
        forwards.c.original_rrn.concat(" / ").concat(forwards.c.stan),
        transactions.c.rrn.concat(" / ").concat(transactions.c.stan),
    )
    .select_from(_ABOUT)
    .where(
        or_(
            forwards.c.original_rrn != transactions.c.rrn,
            and_(
                forwards.c.kind == str(ForwardKind.REPEAT),
                or_(
                    forwards.c.transmitted_at != transactions.c.transmitted_at,
                    forwards.c.stan != transactions.c.stan,
                    forwards.c.rrn != transactions.c.rrn,
                    forwards.c.terminal_id != transactions.c.terminal_id,
                ),
            ),
        )
    ),
)

_TWO_OWNERS: Final = Question(
    "a pending transaction and its waiting message are one gateway's",
    Subject.TRANSACTION,
    select(forwards.c.transaction_id, forwards.c.owner_epoch, transactions.c.owner_epoch)
    .select_from(_ABOUT)
    .where(
        transactions.c.state == str(State.PENDING),
        forwards.c.done_at_ms.is_(None),
        forwards.c.owner_epoch != transactions.c.owner_epoch,
    ),
)

_MEANT_FOR_OTHERS: Final = Question(
    "a message is resolved with a reason, a reversal as reversed and a repeat otherwise",
    Subject.TRANSACTION,
    select(
        forwards.c.transaction_id,
        forwards.c.kind.concat(" as ").concat(func.coalesce(forwards.c.resolution, "nothing")),
        func.coalesce(forwards.c.resolution_reason, "no reason"),
    ).where(
        or_(
            forwards.c.resolution.is_(None) != forwards.c.resolution_reason.is_(None),
            and_(
                forwards.c.resolution.is_not(None),
                (forwards.c.kind == str(ForwardKind.REVERSAL))
                != (forwards.c.resolution == str(ResolvedAs.REVERSED)),
            ),
        )
    ),
)

_CONTRADICTED_NOBODY: Final = Question(
    "an answer contradicts what an operator has resolved",
    Subject.TRANSACTION,
    select(events.c.transaction_id, events.c.event, literal("a resolution")).where(
        events.c.event == str(Event.CONTRADICTED),
        ~exists().where(
            forwards.c.transaction_id == events.c.transaction_id, forwards.c.resolution.is_not(None)
        ),
    ),
)

FORWARD_RULES: Final = (
    _ends_with_its_transaction(
        "a reversal waits while its transaction is REVERSING, and is done when it is REVERSED",
        ForwardKind.REVERSAL,
        State.REVERSING,
        _REVERSED,
    ),
    _ends_with_its_transaction(
        "a repeat waits while its transaction is PENDING, and is done when it has ended",
        ForwardKind.REPEAT,
        State.PENDING,
        _REPEATED,
    ),
    _STORED_FOR_NOTHING,
    _OTHER_MESSAGE,
    _TWO_OWNERS,
    _MEANT_FOR_OTHERS,
    _CONTRADICTED_NOBODY,
)
