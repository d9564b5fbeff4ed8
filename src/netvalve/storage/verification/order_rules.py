"""What must hold of every order: its row says what its transactions add up to. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from netvalve.domain.lifecycle import HOLDS_MONEY, State
from netvalve.domain.transaction import TransactionType
from netvalve.storage.verification.breach import Breach, Subject
from netvalve.storage.verification.order_standing import OrderStanding

_Value = Callable[[OrderStanding], object]


@dataclass(frozen=True, slots=True)
class OrderRule:
    """Two values that must be one."""

    says: str
    found: _Value
    expected: _Value


def _opening_found(order: OrderStanding) -> str:
    return f"{order.type} of {order.amount_minor}"


def _opening_expected(order: OrderStanding) -> str:
    return f"{order.opening_type} of {order.opening_amount_minor}"


def _levels(order: OrderStanding) -> str:
    taken_minor = order.refunded_minor + order.reserved_minor
    return f"{taken_minor} of {order.captured_minor} of {order.authorised_minor}"


def _levels_expected(order: OrderStanding) -> str:
    taken_minor = order.refunded_minor + order.reserved_minor
    level = 0 <= taken_minor <= order.captured_minor <= order.authorised_minor
    return _levels(order) if level else "refunded + reserved <= captured <= authorised"


def _released_expected(order: OrderStanding) -> int:
    """What was authorised is captured or released once the order is captured or cancelled."""
    if order.charges or order.cancels:
        return order.summed_authorised_minor - order.summed_captured_minor
    return 0


def _state_by_transactions(order: OrderStanding) -> str | None:
    """An order moves with its opening until the money is captured, then with its charge."""
    if order.charge_id in {None, order.opening_id} or order.charge_state == State.APPROVED:
        return order.opening_state
    return order.charge_state


def _state_by_money(order: OrderStanding) -> str:
    if order.opening_state not in HOLDS_MONEY:
        return order.state
    if order.summed_refunded_minor:
        whole = order.summed_refunded_minor >= order.summed_captured_minor
        return State.REFUNDED if whole else State.PARTIALLY_REFUNDED
    if order.type != TransactionType.AUTHORIZATION:
        return State.APPROVED
    if order.charges:
        whole = order.summed_captured_minor >= order.summed_authorised_minor
        return State.CAPTURED if whole else State.PARTIALLY_SETTLED
    return State.CANCELLED if order.cancels else State.APPROVED


ORDER_RULES: Final = (
    OrderRule(
        "an order is opened by its one authorization, sale or rebill",
        lambda order: f"{order.opening_id} of {order.openers}",
        lambda order: f"{order.first_opener_id} of 1",
    ),
    OrderRule("an order has the type and amount of its opening", _opening_found, _opening_expected),
    OrderRule(
        "authorised is what the approved openings add up to",
        lambda order: order.authorised_minor,
        lambda order: order.summed_authorised_minor,
    ),
    OrderRule(
        "captured is what the approved charges add up to",
        lambda order: order.captured_minor,
        lambda order: order.summed_captured_minor,
    ),
    OrderRule(
        "refunded is what the approved refunds add up to",
        lambda order: order.refunded_minor,
        lambda order: order.summed_refunded_minor,
    ),
    OrderRule(
        "reserved is what the pending refunds add up to",
        lambda order: order.reserved_minor,
        lambda order: order.summed_reserved_minor,
    ),
    OrderRule(
        "no more is refunded than captured, nor captured than authorised",
        _levels,
        _levels_expected,
    ),
    OrderRule(
        "what is not captured of a captured or cancelled order is released by a cancel",
        lambda order: order.released_minor,
        _released_expected,
    ),
    OrderRule(
        "charge_id names the order's one approved charge",
        lambda order: f"{order.charge_id} of {order.charges}",
        lambda order: f"{order.first_charge_id} of {min(order.charges, 1)}",
    ),
    OrderRule(
        "in_flight_id names the order's one pending transaction",
        lambda order: f"{order.in_flight_id} of {order.pending}",
        lambda order: f"{order.first_pending_id} of {min(order.pending, 1)}",
    ),
    OrderRule(
        "an order stands where its opening and its charge stand",
        lambda order: order.state,
        _state_by_transactions,
    ),
    OrderRule("an order stands where its money stands", lambda order: order.state, _state_by_money),
)


def breaches_of(order: OrderStanding) -> Iterator[Breach]:
    """Every rule that an order breaks."""
    for rule in ORDER_RULES:
        found, expected = rule.found(order), rule.expected(order)
        if found != expected:
            yield Breach(Subject.ORDER, order.order_id, rule.says, str(found), str(expected))
