"""Enquiries: which filters are given decides the statement, what they say is bound into it.

So one compiled statement serves every search of the same shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Column, Select, and_, bindparam, exists, func, select

from netvalve.domain.lifecycle import HOLDS_MONEY, meanings_of_status
from netvalve.domain.search import Search
from netvalve.domain.transaction import CHARGES, TransactionType
from netvalve.storage.exports import EXPORTED
from netvalve.storage.filters import (
    OF_ORDER,
    OF_ORDER_ROW,
    OF_TRANSACTION,
    OF_TRANSACTION_ROW,
    Condition,
    Filter,
    Meanings,
    amount_condition,
    amount_values,
    clamped,
    means,
    one_of,
)
from netvalve.storage.queries import BOTH, ordered_page
from netvalve.storage.schema import orders, transactions

_BOUND: Final = {**OF_ORDER, **OF_TRANSACTION, **OF_ORDER_ROW}
_AMOUNTS: Final = ("amount_min", "amount_max")
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
    values: dict[str, object] = {"client_id": clamped(search.client_id)}
    for name, each in _BOUND.items():
        value = getattr(search, name)
        if value is not None:
            values[name] = each.value(value)
    for name in _AMOUNTS:
        if (amount := getattr(search, name)) is not None:
            values |= amount_values(name, amount)
    return values


def orders_statement(shape: Shape) -> Select[Any]:
    """The page of matching orders, newest first."""
    newest_first = (orders.c.created_at_ms.desc(), orders.c.order_id.desc())
    return ordered_page(select(orders).where(_on_orders(shape)).order_by(*newest_first))


def orders_count(shape: Shape) -> Select[Any]:
    """How many orders match."""
    return select(func.count()).select_from(orders).where(_on_orders(shape))


def transactions_statement(shape: Shape) -> Select[Any]:
    """The page of matching transactions with their orders, newest first."""
    return ordered_page(_newest_transactions(select(transactions, orders), shape))


def export_statement(shape: Shape) -> Select[Any]:
    """What an export shows of all matching transactions, newest first."""
    return _newest_transactions(select(*EXPORTED), shape)


def transactions_count(shape: Shape) -> Select[Any]:
    """How many transactions match. Orders are looked at only where a filter needs them."""
    of_orders = _order_conditions(shape)
    source = BOTH if of_orders else transactions
    return select(func.count()).select_from(source).where(_on_transactions(shape))


def _newest_transactions(selected: Select[Any], shape: Shape) -> Select[Any]:
    return (
        selected.select_from(BOTH)
        .where(_on_transactions(shape))
        .order_by(transactions.c.opened_at_ms.desc(), transactions.c.transaction_id.desc())
    )


def _on_orders(shape: Shape) -> Condition:
    conditions = [
        orders.c.client_id == bindparam("client_id"),
        *_conditions(OF_ORDER_ROW, shape),
        *_order_conditions(shape),
        *_amount_conditions(orders.c.amount_minor, orders.c.currency, shape),
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
        *_conditions(OF_TRANSACTION_ROW, shape),
        *_transaction_conditions(shape),
        *_amount_conditions(transactions.c.amount_minor, transactions.c.currency, shape),
    ]
    if of_orders:
        conditions += [orders.c.client_id == bindparam("client_id"), *of_orders]
    if shape.only_settled:
        conditions.append(
            and_(one_of(transactions.c.type, CHARGES), one_of(transactions.c.state, HOLDS_MONEY))
        )
    return and_(*conditions)


def _order_conditions(shape: Shape) -> list[Condition]:
    conditions = _conditions(OF_ORDER, shape)
    if shape.order_meanings is not None:
        conditions.append(means(orders.c.type, orders.c.state, shape.order_meanings))
    if shape.sites:
        conditions.append(one_of(orders.c.site_id, shape.sites))
    return conditions


def _transaction_conditions(shape: Shape) -> list[Condition]:
    conditions = _conditions(OF_TRANSACTION, shape)
    if shape.transaction_meanings is not None:
        conditions.append(
            means(transactions.c.type, transactions.c.state, shape.transaction_meanings)
        )
    if shape.types:
        conditions.append(one_of(transactions.c.type, shape.types))
    return conditions


def _conditions(filters: Mapping[str, Filter], shape: Shape) -> list[Condition]:
    return [
        each.condition(bindparam(name)) for name, each in filters.items() if name in shape.given
    ]


def _amount_conditions(
    amount_minor: Column[int], currency: Column[str], shape: Shape
) -> list[Condition]:
    return [
        amount_condition(name, amount_minor, currency) for name in _AMOUNTS if name in shape.given
    ]


def _meanings(status: str | None) -> Meanings | None:
    return None if status is None else meanings_of_status(status)
