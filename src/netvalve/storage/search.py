"""Enquiries: which filters are given decides the statement, what they say is bound into it.

So one compiled statement serves every search of the same shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Column, FromClause, Select, Subquery, and_, bindparam, exists, func, select

from netvalve.domain.lifecycle import HOLDS_MONEY, meanings_of_status
from netvalve.domain.search import Search
from netvalve.domain.transaction import CHARGES, TransactionType
from netvalve.storage.exports import EXPORTED
from netvalve.storage.filters import (
    AMOUNTS,
    OF_ORDER,
    OF_ORDER_ROW,
    OF_TRANSACTION,
    OF_TRANSACTION_ROW,
    Condition,
    Filter,
    Meanings,
    amount_conditions,
    amount_values,
    clamped,
    in_months,
    means,
    one_of,
)
from netvalve.storage.months import numbers_between
from netvalve.storage.queries import BOTH, ordered_page
from netvalve.storage.schema import orders, transactions
from netvalve.storage.spans import EVER_MS

_BOUND: Final = {**OF_ORDER, **OF_TRANSACTION, **OF_ORDER_ROW}
_APART: Final = frozenset(
    {
        "client_id",
        "order_status",
        "transaction_status",
        "transaction_types",
        "sites",
        "only_settled",
    }
)
"""The fields that are not simply given or not; the shape has them apart."""


@dataclass(frozen=True, slots=True)
class Shape:
    """All that the text of a statement depends on."""

    given: frozenset[str]
    order_meanings: Meanings | None
    transaction_meanings: Meanings | None
    types: tuple[TransactionType, ...]
    sites: tuple[str, ...]
    only_settled: bool


def shape_of(search: Search) -> Shape:
    """The shape of a search: equal for searches that differ in their values alone."""
    return Shape(
        given=frozenset(
            each.name
            for each in fields(search)
            if each.name not in _APART and getattr(search, each.name) is not None
        ),
        order_meanings=_meanings(search.order_status),
        transaction_meanings=_meanings(search.transaction_status),
        types=search.transaction_types,
        sites=search.sites,
        only_settled=search.only_settled,
    )


def values_of(search: Search) -> dict[str, object]:
    """The values to bind, by name."""
    first_number, end_number = numbers_between(*range_of(search))
    values: dict[str, object] = {
        "client_id": clamped(search.client_id),
        "first_number": first_number,
        "end_number": end_number,
    }
    for name, each in _BOUND.items():
        value = getattr(search, name)
        if value is not None:
            values[name] = each.value(value)
    for name in AMOUNTS:
        if (amount := getattr(search, name)) is not None:
            values |= amount_values(name, amount)
    return values


def range_of(search: Search) -> tuple[int, int]:
    """The time that a search is about, in milliseconds; its end is left out."""
    first_ms = 0 if search.from_ms is None else clamped(search.from_ms)
    end_ms = EVER_MS if search.to_ms is None else clamped(search.to_ms) + 1
    return min(max(first_ms, 0), EVER_MS), min(max(end_ms, 0), EVER_MS)


def orders_statement(shape: Shape) -> Select[Any]:
    """The page of matching orders, in no order: the rows that are passed over stay unread."""
    newest_first = (orders.c.created_at_ms.desc(), orders.c.order_id.desc())
    matching = select(orders.c.order_id.label("number")).where(_on_orders(shape))
    return whole_orders(ordered_page(matching.order_by(*newest_first)).subquery("page"))


def orders_count(shape: Shape) -> Select[Any]:
    """How many orders match."""
    return select(func.count()).select_from(orders).where(_on_orders(shape))


def transactions_statement(shape: Shape) -> Select[Any]:
    """The page of matching transactions with their orders, in no order."""
    matching = select(transactions.c.transaction_id.label("number")).select_from(_looked_at(shape))
    return whole_transactions(ordered_page(_newest_first(matching, shape)).subquery("page"))


def whole_orders(numbers: Subquery) -> Select[Any]:
    """Orders by their numbers."""
    return select(orders).select_from(numbers.join(orders, orders.c.order_id == numbers.c.number))


def whole_transactions(numbers: Subquery) -> Select[Any]:
    """Transactions with their orders, by their numbers."""
    return select(transactions, orders).select_from(
        numbers.join(transactions, transactions.c.transaction_id == numbers.c.number).join(
            orders, orders.c.order_id == transactions.c.order_id
        )
    )


def export_statement(shape: Shape) -> Select[Any]:
    """What an export shows of all matching transactions, newest first."""
    return _newest_first(select(*EXPORTED).select_from(BOTH), shape)


def transactions_count(shape: Shape) -> Select[Any]:
    """How many transactions match."""
    return select(func.count()).select_from(_looked_at(shape)).where(_on_transactions(shape))


def _looked_at(shape: Shape) -> FromClause:
    """Orders are looked at only where a filter needs them."""
    return BOTH if _order_conditions(shape) else transactions


def _newest_first(selected: Select[Any], shape: Shape) -> Select[Any]:
    return selected.where(_on_transactions(shape)).order_by(
        transactions.c.opened_at_ms.desc(), transactions.c.transaction_id.desc()
    )


def _on_orders(shape: Shape) -> Condition:
    conditions = [
        orders.c.client_id == bindparam("client_id"),
        *conditions_of(OF_ORDER_ROW, shape),
        *month_conditions(orders.c.order_id, shape),
        *_order_conditions(shape),
        *amount_conditions(orders, shape.given),
    ]
    if of_transaction := _transaction_conditions(shape):
        conditions.append(_has_transaction(and_(*of_transaction), shape))
    if shape.only_settled:
        conditions.append(orders.c.captured_minor > 0)
    return and_(*conditions)


def _has_transaction(condition: Condition, shape: Shape) -> Condition:
    """Some transaction of the order is such.

    What names few transactions is looked up first; a mere status or type is asked of each order.
    """
    if shape.given.isdisjoint(OF_TRANSACTION):
        return exists().where(transactions.c.order_id == orders.c.order_id, condition)
    of_client = transactions.c.client_id == bindparam("client_id")
    return orders.c.order_id.in_(select(transactions.c.order_id).where(of_client, condition))


def _on_transactions(shape: Shape) -> Condition:
    of_orders = _order_conditions(shape)
    conditions = [
        transactions.c.client_id == bindparam("client_id"),
        *conditions_of(OF_TRANSACTION_ROW, shape),
        *month_conditions(transactions.c.transaction_id, shape),
        *_transaction_conditions(shape),
        *amount_conditions(transactions, shape.given),
    ]
    if of_orders:
        conditions += [orders.c.client_id == bindparam("client_id"), *of_orders]
    if shape.only_settled:
        conditions.append(
            and_(one_of(transactions.c.type, CHARGES), one_of(transactions.c.state, HOLDS_MONEY))
        )
    return and_(*conditions)


def _order_conditions(shape: Shape) -> list[Condition]:
    conditions = conditions_of(OF_ORDER, shape)
    if shape.order_meanings is not None:
        conditions.append(means(orders.c.type, orders.c.state, shape.order_meanings))
    if shape.sites:
        conditions.append(one_of(orders.c.site_id, shape.sites))
    return conditions


def _transaction_conditions(shape: Shape) -> list[Condition]:
    conditions = conditions_of(OF_TRANSACTION, shape)
    if shape.transaction_meanings is not None:
        conditions.append(
            means(transactions.c.type, transactions.c.state, shape.transaction_meanings)
        )
    if shape.types:
        conditions.append(one_of(transactions.c.type, shape.types))
    return conditions


def conditions_of(filters: Mapping[str, Filter], shape: Shape) -> list[Condition]:
    """Those of the filters that a search gives."""
    return [
        each.condition(bindparam(name)) for name, each in filters.items() if name in shape.given
    ]


def month_conditions(number: Column[int], shape: Shape) -> list[Condition]:
    """Only numbers of the months that a search is about."""
    return [] if shape.given.isdisjoint({"from_ms", "to_ms"}) else [in_months(number)]


def _meanings(status: str | None) -> Meanings | None:
    return None if status is None else meanings_of_status(status)
