"""What each filter of an enquiry means in SQL: a row a field, its value bound by the field's name.

Texts of e-mail and names compare folded, a BIN by its first digits, all else exactly.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Table,
    and_,
    bindparam,
    case,
    false,
    literal_column,
    not_,
    or_,
    select,
)

from netvalve.catalogue.currencies import CURRENCIES
from netvalve.domain.lifecycle import State
from netvalve.domain.money import AMOUNT_MINOR_MAX
from netvalve.domain.transaction import TransactionType
from netvalve.storage.mapping import folded
from netvalve.storage.months import NUMBERS_A_MONTH
from netvalve.storage.schema import accounts, follow_ups, order_keys, orders, transactions

Condition = ColumnElement[bool]
Meanings = tuple[tuple[TransactionType | None, State], ...]

_NUMBER_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """One field: the condition on its bound value, and what the value becomes on its way there."""

    condition: Callable[[BindParameter[Any]], Condition]
    value: Callable[[Any], object] = lambda value: value


def _equal(column: Column[Any], value: Callable[[Any], object] = lambda value: value) -> Filter:
    return Filter(lambda bound: column == bound, value)


def _number(column: Column[int]) -> Filter:
    """A number that no column holds matches nothing, however large."""
    return _equal(column, lambda value: min(max(value, -1), _NUMBER_MAX))


def _account(column: Column[Any], value: Callable[[Any], object]) -> Filter:
    """Orders of the accounts that have this."""
    return Filter(
        lambda bound: orders.c.mid_id.in_(select(accounts.c.mid_id).where(column == bound)), value
    )


def clamped(value: int) -> int:
    """A number that a database can bind; no column holds the ones it changes."""
    return min(max(value, -_NUMBER_MAX), _NUMBER_MAX)


def _of_payer(table: Table) -> Mapping[str, Filter]:
    columns = table.c
    return {
        "email": _equal(columns.email_folded, folded),
        "first_name": _equal(columns.first_name_folded, folded),
        "last_name": _equal(columns.last_name_folded, folded),
        "first_six": _equal(columns.first_six),
        "last_four": _equal(columns.last_four),
        "bin": Filter(
            lambda bound: columns.first_six.like(bound, escape="\\"),
            lambda digits: f"{_escaped(digits[:6])}%",
        ),
        "country": _equal(columns.country),
        "site_id": _equal(columns.site_id, str.lower),
    }


OF_PAYER: Final = _of_payer(orders)
OF_FOLLOW_UPS_PAYER: Final = _of_payer(follow_ups)
"""The same of an order and of its follow-ups."""

OF_ORDER: Final[Mapping[str, Filter]] = {
    **OF_PAYER,
    "order_id": _number(orders.c.order_id),
    "netvalve_mid_id": _account(accounts.c.netvalve_mid_id, str.lower),
    "bank_id": _account(accounts.c.bank_id, clamped),
    "client_order_id": Filter(
        lambda bound: orders.c.order_id.in_(
            select(order_keys.c.order_id).where(
                order_keys.c.client_id == bindparam("client_id"),
                order_keys.c.client_order_id == bound,
            )
        )
    ),
    "card_type": _equal(orders.c.brand),
    "descriptor": _equal(orders.c.descriptor),
    "payment_type": _equal(orders.c.payment_type),
    "wallet_type": _equal(orders.c.wallet_type),
    "three_ds": Filter(lambda bound: orders.c.three_ds == bound, bool),
    "source": _equal(orders.c.source),
}
"""What an order has, whichever of its transactions is looked at."""

OF_TRANSACTION: Final[Mapping[str, Filter]] = {
    "transaction_id": _number(transactions.c.transaction_id),
    "transaction_reference_id": _number(transactions.c.parent_id),
    "trace_id": _equal(transactions.c.trace_id),
    "auth_code": _equal(transactions.c.auth_code),
    "rrn": _equal(transactions.c.rrn),
    "scheme_transaction_id": _equal(transactions.c.scheme_transaction_id),
}
"""What one transaction has. Of an order: what one and the same of its transactions has."""


def _of_row(at_ms: Column[int], mid_id: Column[int], currency: Column[str]) -> Mapping[str, Filter]:
    return {
        "from_ms": Filter(lambda bound: at_ms >= bound, clamped),
        "to_ms": Filter(lambda bound: at_ms <= bound, clamped),
        "mid_id": _number(mid_id),
        "currency": _equal(currency),
    }


OF_ORDER_ROW: Final = _of_row(orders.c.created_at_ms, orders.c.mid_id, orders.c.currency)
OF_TRANSACTION_ROW: Final = _of_row(
    transactions.c.opened_at_ms, transactions.c.mid_id, transactions.c.currency
)
OF_FOLLOW_UP_ROW: Final = _of_row(
    follow_ups.c.opened_at_ms, follow_ups.c.mid_id, follow_ups.c.currency
)
"""What the listed rows have themselves, be they orders or transactions."""

AMOUNTS: Final = ("amount_min", "amount_max")
_COMMON_EXPONENT: Final = 2
_CURRENCIES_OF_EXPONENT: Final[Mapping[int, tuple[str, ...]]] = {
    exponent: tuple(code for code, each in CURRENCIES.items() if each.exponent == exponent)
    for exponent in sorted({each.exponent for each in CURRENCIES.values()})
}


def amount_conditions(table: Table, given: Collection[str]) -> list[Condition]:
    """`amount_min` and `amount_max` in the minor units of each row's own currency.

    Between two amounts, rows are found by the index of the client's amounts, for each number of
    decimals apart.
    """
    if set(AMOUNTS).issubset(given):
        return [or_(*(_between(table, exponent) for exponent in _CURRENCIES_OF_EXPONENT))]
    return [_bounded(table, name) for name in AMOUNTS if name in given]


def _between(table: Table, exponent: int) -> Condition:
    amount_minor = table.c.amount_minor
    return and_(
        table.c.client_id == bindparam("client_id"),
        amount_minor >= _amount(f"amount_min_{exponent}"),
        amount_minor <= _amount(f"amount_max_{exponent}"),
        _of_exponent(table.c.currency, exponent),
    )


def _bounded(table: Table, name: str) -> Condition:
    rarer = [
        (_of_exponent(table.c.currency, exponent), _amount(f"{name}_{exponent}"))
        for exponent in _CURRENCIES_OF_EXPONENT
        if exponent != _COMMON_EXPONENT
    ]
    bound = case(*rarer, else_=_amount(f"{name}_{_COMMON_EXPONENT}"))
    amount_minor = table.c.amount_minor
    return amount_minor >= bound if name == "amount_min" else amount_minor <= bound


def _of_exponent(currency: Column[str], exponent: int) -> Condition:
    if exponent != _COMMON_EXPONENT:
        return one_of(currency, _CURRENCIES_OF_EXPONENT[exponent])
    rarer = (each for each in _CURRENCIES_OF_EXPONENT if each != _COMMON_EXPONENT)
    return not_(or_(*(_of_exponent(currency, each) for each in rarer)))


def _amount(name: str) -> BindParameter[int]:
    return bindparam(name, type_=BigInteger())


def amount_values(name: str, amount: str) -> dict[str, object]:
    """The bound in minor units of each exponent, rounded so that it is inclusive.

    Raises:
        ValueError: the amount is not a finite decimal number.
    """
    try:
        major = Decimal(amount)
    except InvalidOperation:
        major = Decimal("NaN")
    if not major.is_finite():
        raise ValueError(f"{name} is not a decimal number")
    rounding = ROUND_CEILING if name == "amount_min" else ROUND_FLOOR
    limit = Decimal(AMOUNT_MINOR_MAX + 1)
    major = min(max(major, -limit), limit)
    return {
        f"{name}_{exponent}": int(major.scaleb(exponent).to_integral_value(rounding))
        for exponent in _CURRENCIES_OF_EXPONENT
    }


def means(kind: Column[str], state: Column[str], meanings: Meanings) -> Condition:
    """A row shows as a status; an unknown status, which has no meanings, matches nothing."""
    return or_(
        false(),
        *(
            state == str(each) if of is None else and_(kind == str(of), state == str(each))
            for of, each in meanings
        ),
    )


def in_months(number: Column[int]) -> Condition:
    """Numbers that rows of a time can have: other months' parts of a table are not looked at.

    Numbers from before they had months are of any time.
    """
    unnumbered = number < literal_column(str(NUMBERS_A_MONTH))
    return and_(
        or_(number >= bindparam("first_number"), unnumbered), number < bindparam("end_number")
    )


def one_of(column: Column[str], values: Collection[str]) -> Condition:
    """The column holds one of these constants; of none, none."""
    return or_(false(), *(column == str(value) for value in sorted(values)))


def _escaped(text: str) -> str:
    """Text that LIKE takes by the letter."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
