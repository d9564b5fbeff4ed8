"""What must hold of follow-ups, and of the orders that have some, as triggers keep them."""

from typing import Any, Final

from sqlalchemy import Column, ColumnElement, String, and_, cast, func, literal, or_, select

from netvalve.domain.transaction import OPENERS
from netvalve.storage.schema import follow_ups, followed_orders, orders, transactions
from netvalve.storage.verification.breach import Question, Subject

_OF_ORDER: Final = tuple(
    name
    for name in follow_ups.c.keys()  # noqa: SIM118  # columns, by their names
    if name in orders.c and name not in transactions.c
)
_OWN: Final = tuple(name for name in follow_ups.c.keys() if name in transactions.c)  # noqa: SIM118
_AS_ITS_ORDER: Final = ("client_id", "created_at_ms", "mid_id", "state", "currency")

_follows: Final = transactions.c.type.not_in([*map(str, OPENERS)])
_on_order: Final = transactions.join(orders, orders.c.order_id == transactions.c.order_id)


def _joined(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """`1 / 2 / USD`."""
    text: ColumnElement[str] = literal("")
    for each in columns:
        text = text.concat(func.coalesce(cast(each, String), "none")).concat(" / ")
    return text


def _differ(pairs: list[tuple[Column[Any], Column[Any]]]) -> ColumnElement[bool]:
    return or_(*(kept.is_distinct_from(there) for kept, there in pairs))


_COPIES: Final = [
    *((follow_ups.c[name], transactions.c[name]) for name in _OWN),
    *((follow_ups.c[name], orders.c[name]) for name in _OF_ORDER),
]
_KEPT: Final = Question(
    "a transaction that did not open its order is among the follow-ups, as it is",
    Subject.TRANSACTION,
    select(
        transactions.c.transaction_id,
        _joined(*(kept for kept, _ in _COPIES)),
        _joined(*(there for _, there in _COPIES)),
    )
    .select_from(
        _on_order.outerjoin(
            follow_ups,
            and_(
                follow_ups.c.order_id == transactions.c.order_id,
                follow_ups.c.transaction_id == transactions.c.transaction_id,
            ),
        )
    )
    .where(_follows, _differ(_COPIES)),
)
_STRAY: Final = Question(
    "a follow-up is a transaction that did not open its order",
    Subject.TRANSACTION,
    select(follow_ups.c.transaction_id, literal("a follow-up"), literal("none"))
    .select_from(
        follow_ups.outerjoin(
            transactions,
            and_(
                transactions.c.transaction_id == follow_ups.c.transaction_id,
                transactions.c.order_id == follow_ups.c.order_id,
                _follows,
            ),
        )
    )
    .where(transactions.c.transaction_id.is_(None)),
)
_OPENED: Final = Question(
    "an order was created in the moment of its opening",
    Subject.ORDER,
    select(
        orders.c.order_id,
        cast(orders.c.created_at_ms, String),
        cast(transactions.c.opened_at_ms, String),
    )
    .select_from(orders.join(transactions, transactions.c.transaction_id == orders.c.opening_id))
    .where(orders.c.created_at_ms != transactions.c.opened_at_ms),
)

_STANDING: Final = [(followed_orders.c[name], orders.c[name]) for name in _AS_ITS_ORDER]
_FOLLOWED: Final = Question(
    "an order with follow-ups is among the followed orders, as it is",
    Subject.ORDER,
    select(
        orders.c.order_id,
        _joined(*(kept for kept, _ in _STANDING)),
        _joined(*(there for _, there in _STANDING)),
    )
    .select_from(orders.outerjoin(followed_orders, followed_orders.c.order_id == orders.c.order_id))
    .where(
        orders.c.order_id.in_(select(transactions.c.order_id).where(_follows)),
        _differ(_STANDING),
    ),
)
_step: Final = transactions.c.type.concat(":").concat(transactions.c.state)
_of_order: Final = followed_orders.outerjoin(
    transactions, transactions.c.order_id == followed_orders.c.order_id
)
_steps: Final = func.count(_step.distinct())
_told: Final = func.length(followed_orders.c.course) - func.length(
    func.replace(followed_orders.c.course, ":", "")
)
_COURSE: Final = Question(
    "the course of a followed order says as many things as there are to say",
    Subject.ORDER,
    select(followed_orders.c.order_id, followed_orders.c.course, cast(_steps, String))
    .select_from(_of_order)
    .group_by(followed_orders.c.order_id, followed_orders.c.course)
    .having(_steps != _told),
)
_TOLD: Final = Question(
    "the course of a followed order has all of its transactions in it",
    Subject.ORDER,
    select(followed_orders.c.order_id, followed_orders.c.course, _step)
    .select_from(_of_order)
    .where(followed_orders.c.course.not_like(literal("% ").concat(_step).concat(" %"))),
)

FOLLOW_UP_RULES: Final = (_KEPT, _STRAY, _OPENED, _FOLLOWED, _COURSE, _TOLD)
