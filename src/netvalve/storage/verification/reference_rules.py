"""What must hold between tables: whatever names a row of another names the right one."""

from typing import Final

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, or_, select

from netvalve.domain.transaction import OPENERS, TransactionType
from netvalve.storage.schema import (
    cards,
    clients,
    events,
    idempotency_keys,
    order_keys,
    orders,
    transactions,
)
from netvalve.storage.verification.archived import HORIZON, is_here
from netvalve.storage.verification.breach import Question, Subject

_parents: Final = transactions.alias("parents")


def _text(column: ColumnElement[object]) -> ColumnElement[str]:
    return func.coalesce(cast(column, String), "none")


def _joined(*columns: ColumnElement[object]) -> ColumnElement[str]:
    """`1 / 2 / USD`."""
    first, *rest = map(_text, columns)
    for each in rest:
        first = first.concat(" / ").concat(each)
    return first


_ORDER_WITHOUT_KEY: Final = Question(
    "an order has its key exactly where it has a clientOrderId",
    Subject.ORDER,
    select(orders.c.order_id, _text(order_keys.c.order_id), cast(orders.c.order_id, String))
    .select_from(
        orders.outerjoin(
            order_keys,
            and_(
                order_keys.c.client_id == orders.c.client_id,
                order_keys.c.client_order_id == orders.c.client_order_id,
            ),
        )
    )
    .where(
        orders.c.client_order_id.is_not(None),
        order_keys.c.order_id.is_distinct_from(orders.c.order_id),
    ),
)

_KEY_WITHOUT_ORDER: Final = Question(
    "a key is that of its order",
    Subject.ORDER,
    select(
        order_keys.c.order_id,
        _joined(orders.c.client_id, orders.c.client_order_id),
        _joined(order_keys.c.client_id, order_keys.c.client_order_id),
    )
    .select_from(order_keys.outerjoin(orders, orders.c.order_id == order_keys.c.order_id))
    .where(
        is_here(order_keys.c.order_id),
        or_(
            orders.c.client_id.is_distinct_from(order_keys.c.client_id),
            orders.c.client_order_id.is_distinct_from(order_keys.c.client_order_id),
        ),
    ),
)

_TRANSACTION_OF_ANOTHER_ORDER: Final = Question(
    "a transaction has its order's client, account and currency",
    Subject.TRANSACTION,
    select(
        transactions.c.transaction_id,
        _joined(transactions.c.client_id, transactions.c.mid_id, transactions.c.currency),
        _joined(orders.c.client_id, orders.c.mid_id, orders.c.currency),
    )
    .select_from(transactions.outerjoin(orders, orders.c.order_id == transactions.c.order_id))
    .where(
        is_here(transactions.c.order_id),
        or_(
            orders.c.client_id.is_distinct_from(transactions.c.client_id),
            orders.c.mid_id.is_distinct_from(transactions.c.mid_id),
            orders.c.currency.is_distinct_from(transactions.c.currency),
        ),
    ),
)

_follows: Final = transactions.c.type.not_in([*map(str, OPENERS)])
_rebills: Final = transactions.c.type == str(TransactionType.REBILL)
_parent_is_here: Final = and_(
    func.coalesce(transactions.c.parent_id, HORIZON) >= HORIZON,
    or_(~_rebills, _parents.c.transaction_id.is_not(None), HORIZON == 0),
)
"""An order takes along what later months have of it, which a rebill may name."""

_PARENT_ELSEWHERE: Final = Question(
    "what follows names a transaction of its order, a rebill one of its client",
    Subject.TRANSACTION,
    select(
        transactions.c.transaction_id,
        _joined(_parents.c.client_id, _parents.c.order_id),
        _joined(
            transactions.c.client_id,
            case((_follows, transactions.c.order_id), else_=_parents.c.order_id),
        ),
    )
    .select_from(
        transactions.outerjoin(_parents, _parents.c.transaction_id == transactions.c.parent_id)
    )
    .where(
        _parent_is_here,
        or_(
            and_(_follows, _parents.c.order_id.is_distinct_from(transactions.c.order_id)),
            and_(
                or_(_follows, _rebills),
                _parents.c.client_id.is_distinct_from(transactions.c.client_id),
            ),
        ),
    ),
)

_HISTORY_OF_NOTHING: Final = Question(
    "a history is that of a transaction",
    Subject.TRANSACTION,
    select(events.c.transaction_id, literal("a history alone"), literal("its transaction"))
    .select_from(
        events.outerjoin(transactions, transactions.c.transaction_id == events.c.transaction_id)
    )
    .where(transactions.c.transaction_id.is_(None), is_here(events.c.transaction_id))
    .distinct(),
)

_KEY_OF_ANOTHER: Final = Question(
    "an idempotency key names a transaction of its client",
    Subject.TRANSACTION,
    select(
        idempotency_keys.c.transaction_id,
        literal("client ").concat(_text(transactions.c.client_id)),
        literal("client ").concat(_text(idempotency_keys.c.client_id)),
    )
    .select_from(
        idempotency_keys.outerjoin(
            transactions, transactions.c.transaction_id == idempotency_keys.c.transaction_id
        )
    )
    .where(
        transactions.c.client_id.is_distinct_from(idempotency_keys.c.client_id),
        is_here(idempotency_keys.c.transaction_id),
    ),
)

_CARD_OF_ANOTHER: Final = Question(
    "an order's card is its client's and has the digits it shows",
    Subject.ORDER,
    select(
        orders.c.order_id,
        _joined(orders.c.client_id, orders.c.first_six, orders.c.last_four),
        _joined(cards.c.client_id, cards.c.first_six, cards.c.last_four),
    )
    .select_from(orders.join(cards, cards.c.card_id == orders.c.card_id))
    .where(
        or_(
            cards.c.client_id != orders.c.client_id,
            cards.c.first_six != orders.c.first_six,
            cards.c.last_four != orders.c.last_four,
        )
    ),
)
"""A card that is not there has been erased."""

_CARD_WITHOUT_CLIENT: Final = Question(
    "a card is a client's",
    Subject.CARD,
    select(
        cards.c.card_id, literal("client ").concat(_text(cards.c.client_id)), literal("a client")
    )
    .select_from(cards.outerjoin(clients, clients.c.client_id == cards.c.client_id))
    .where(clients.c.client_id.is_(None)),
)

REFERENCE_RULES: Final = (
    _ORDER_WITHOUT_KEY,
    _KEY_WITHOUT_ORDER,
    _TRANSACTION_OF_ANOTHER_ORDER,
    _PARENT_ELSEWHERE,
    _HISTORY_OF_NOTHING,
    _KEY_OF_ANOTHER,
    _CARD_OF_ANOTHER,
    _CARD_WITHOUT_CLIENT,
)
