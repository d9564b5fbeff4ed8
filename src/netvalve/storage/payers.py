"""Transactions by whose they are: by name, card, e-mail, country or site, and by their amount.

An order has one transaction that opened it, in the moment the order was created and with its
account and amount; the order itself is listed in its place. All others are in `follow_ups`, with
what their order is listed by. So both are found, counted and sorted by an index each, and nothing
is looked up but the rows of the page.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Column, Select, and_, bindparam, func, select, union_all

from netvalve.domain.transaction import OPENERS, TransactionType
from netvalve.storage.filters import (
    AMOUNTS,
    OF_FOLLOW_UP_ROW,
    OF_FOLLOW_UPS_PAYER,
    OF_ORDER_ROW,
    OF_PAYER,
    Condition,
    amount_conditions,
    one_of,
)
from netvalve.storage.schema import follow_ups, orders
from netvalve.storage.search import (
    Shape,
    conditions_of,
    month_conditions,
    whole_transactions,
)

_KNOWN: Final = frozenset({*OF_PAYER, *OF_ORDER_ROW, *AMOUNTS})

_FOLLOWERS: Final = frozenset(TransactionType) - OPENERS


def of_known_payer(shape: Shape) -> bool:
    """Whether a search says whose its transactions are, or between which two amounts.

    And nothing that is not known of orders and follow-ups alike.
    """
    asks_status = shape.order_meanings is not None or shape.transaction_meanings is not None
    says_whose = bool(shape.sites or shape.given & OF_PAYER.keys())
    says_which = says_whose or shape.given.issuperset(AMOUNTS)
    return says_which and shape.given <= _KNOWN and not asks_status and not shape.only_settled


def payers_count(shape: Shape) -> Select[Any]:
    """How many transactions match."""
    openings = select(func.count()).select_from(orders).where(_on_openings(shape))
    others = select(func.count()).select_from(follow_ups).where(_on_follow_ups(shape))
    return select(openings.scalar_subquery() + others.scalar_subquery())


def payers_statement(shape: Shape) -> Select[Any]:
    """The page of matching transactions with their orders, in no order.

    Binds `reach`: no more rows of either are needed.
    """
    openings = _newest(orders.c.created_at_ms, orders.c.opening_id, _on_openings(shape))
    others = _newest(follow_ups.c.opened_at_ms, follow_ups.c.transaction_id, _on_follow_ups(shape))
    found = union_all(openings, others).subquery("found")
    page = (
        select(found.c.number)
        .order_by(found.c.at_ms.desc(), found.c.number.desc())
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
    return whole_transactions(page.subquery("page"))


def _newest(at_ms: Column[int], number: Column[int], condition: Condition) -> Select[Any]:
    newest = (
        select(at_ms.label("at_ms"), number.label("number"))
        .where(condition)
        .order_by(at_ms.desc(), number.desc())
        .limit(bindparam("reach"))
        .subquery()
    )
    return select(newest.c.at_ms, newest.c.number)


def _on_openings(shape: Shape) -> Condition:
    columns = orders.c
    return and_(
        columns.client_id == bindparam("client_id"),
        *conditions_of({**OF_PAYER, **OF_ORDER_ROW}, shape),
        *month_conditions(columns.order_id, shape),
        *amount_conditions(orders, shape.given),
        *_of_types(columns.type, OPENERS, shape),
        *_of_sites(columns.site_id, shape),
    )


def _on_follow_ups(shape: Shape) -> Condition:
    columns = follow_ups.c
    return and_(
        columns.client_id == bindparam("client_id"),
        *conditions_of({**OF_FOLLOW_UPS_PAYER, **OF_FOLLOW_UP_ROW}, shape),
        *amount_conditions(follow_ups, shape.given),
        *_of_types(columns.type, _FOLLOWERS, shape),
        *_of_sites(columns.site_id, shape),
    )


def _of_types(
    kind: Column[str], there: Collection[TransactionType], shape: Shape
) -> list[Condition]:
    """Where none of those that are there is meant, no row is looked at."""
    if not shape.types:
        return []
    return [one_of(kind, set(shape.types).intersection(there))]


def _of_sites(site_id: Column[str], shape: Shape) -> list[Condition]:
    return [one_of(site_id, shape.sites)] if shape.sites else []
